package org.sluice.tcp;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Nic;

/**
 * Where a channel ends at this node.
 *
 * @param nic its NIC
 * @param address the NIC's address that it uses
 */
record Endpoint(Nic nic, InetAddress address, TcpOptions options, ChannelContext context) {
    /** Every kernel has it, and any process may choose it unless an administrator took it off the list. */
    private static final String SAME_HOST = "reno";

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
            return socket.options().congestionControl(SAME_HOST); // where it is not allowed, the default works too
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
            boolean ignored = socket.options()
                    .bindToDevice(device); // without the right to, the source address alone chooses the NIC
        }
    }

    static boolean isThisHost(InetAddress peer) {
        try {
            return peer.isLoopbackAddress() || NetworkInterface.getByInetAddress(peer) != null;
        } catch (SocketException e) {
            return false;
        }
    }
}
