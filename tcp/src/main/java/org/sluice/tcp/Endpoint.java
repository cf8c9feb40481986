package org.sluice.tcp;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.Set;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Nic;
import org.sluice.spi.TransportException;

/**
 * Where a channel ends at this node.
 *
 * @param nic its NIC
 * @param address the NIC's address that it uses
 * @param doors where peers come in
 * @param open everything of the transport that is open; a channel takes itself off when it closes
 */
record Endpoint(
        Nic nic,
        InetAddress address,
        TcpOptions options,
        Doors doors,
        ChannelContext context,
        Set<AutoCloseable> open) {
    /** A lane's thread copies between a socket and memory, and calls nothing deep. */
    private static final long STACK_BYTES = 256 << 10;

    /** Every kernel has it, and any process may choose it unless an administrator took it off the list. */
    private static final String SAME_HOST = "reno";

    /**
     * Makes the threads of a channel, which go to their CPUs before anything else. Named {@code eth1-rx-3.5} for channel 5 of GPU
     * 3: what fits the 15 characters that the kernel keeps of a thread's name.
     */
    ThreadFactory threads(boolean sends) {
        String name = nic.name() + (sends ? "-tx-" : "-rx-") + context.gpu().id() + "." + context.channel();
        return work -> Thread.ofPlatform()
                .name(name)
                .daemon(true)
                .stackSize(STACK_BYTES)
                .unstarted(() -> {
                    if (sends) {
                        options.placement().transmitsOn(nic.name(), nic.numaNode());
                    } else {
                        options.placement().receivesOn(nic.name(), nic.numaNode());
                    }
                    work.run();
                });
    }

    /** {@code eth1 10.1.0.1:40312 > 10.1.0.2:35001}, the sender first. */
    String description(boolean sends, InetSocketAddress local, InetSocketAddress peer) {
        String from = TcpSocket.text(sends ? local : peer);
        String to = TcpSocket.text(sends ? peer : local);
        return nic.name() + " " + from + " > " + to;
    }

    /** Makes a socket that was accepted suit its way: its device it has from the door that it came in by. */
    static void suitAccepted(TcpSocket socket) {
        if (isThisHost(socket.peerAddress().getAddress())) {
            boolean ignored = congestionOnThisHost(socket);
        }
    }

    private static boolean congestionOnThisHost(TcpSocket socket) {
        try {
            return socket.congestionControl(SAME_HOST); // where it is not allowed, the default works too
        } catch (LinuxException e) {
            return false;
        }
    }

    /**
     * Makes a socket suit its way before it connects. To another host it is held to the NIC, so that no route
     * takes its packets elsewhere. Within this host packets only go over the loopback device, and nothing can be congested there:
     * where the machine's default is one that measures and paces (BBR), it would only slow the CPUs' own pace down.
     */
    void suit(TcpSocket socket, InetAddress peer) throws LinuxException {
        if (isThisHost(peer)) {
            boolean ignored = congestionOnThisHost(socket);
            return;
        }
        String device = nic.kernelDevice();
        if (options.bindDevice() && device != null) {
            boolean ignored =
                    socket.bindToDevice(device); // without the right to, the source address alone chooses the NIC
        }
    }

    static boolean isThisHost(InetAddress peer) {
        try {
            return peer.isLoopbackAddress() || NetworkInterface.getByInetAddress(peer) != null;
        } catch (SocketException e) {
            return false;
        }
    }

    /** What encrypts one connection of a channel; null for one in the clear. */
    @Nullable Seal seal(Handle handle, int socket) throws TransportException {
        return handle.encrypted() ? new Seal(context.keys(), handle.token(), socket) : null;
    }
}
