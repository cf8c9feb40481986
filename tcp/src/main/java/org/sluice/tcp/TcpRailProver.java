package org.sluice.tcp;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.Nic;
import org.sluice.spi.RailProver;
import org.sluice.spi.TransportException;

/** Proves rails by plain connections, at the doors that data connections use. */
class TcpRailProver implements RailProver {
    private static final Logger log = LoggerFactory.getLogger(TcpRailProver.class);

    /** Each holds 64 KiB. */
    private static final int MOST_ECHOES = 256;

    /** Opens the doors when they are first needed. */
    interface Entrance {
        Doors doors() throws TransportException;
    }

    private final List<Nic> nics;
    private final Entrance entrance;
    private final AtomicInteger echoes = new AtomicInteger();
    private final boolean bindDevice;

    TcpRailProver(List<Nic> nics, boolean bindDevice, Entrance entrance) {
        this.nics = List.copyOf(nics);
        this.bindDevice = bindDevice;
        this.entrance = entrance;
    }

    @Override
    public int port() {
        try {
            return entrance.doors().port();
        } catch (TransportException e) {
            log.warn("{}", e.getMessage());
            return 0;
        }
    }

    @Override
    public void admit(byte[] token) {
        try {
            entrance.doors().guests().expect(token, this::welcome);
        } catch (TransportException e) {
            log.warn("{}", e.getMessage());
        }
    }

    @Override
    public void dismiss(byte[] token) {
        try {
            entrance.doors().guests().forget(token);
        } catch (TransportException e) {
            log.debug("{}", e.getMessage());
        }
    }

    private @Nullable Visit welcome(TcpSocket socket, byte[] greeting, int nic) {
        if (!Greeting.isProof(greeting) || echoes.incrementAndGet() > MOST_ECHOES) {
            socket.close();
            return null;
        }
        return new ProofEcho(socket, nic >= 0 ? nic : owner(socket), echoes);
    }

    /** Where no door is bound to a device, the address that was asked for is all there is to tell NICs apart. */
    private int owner(TcpSocket socket) {
        try {
            InetAddress asked = socket.localAddress().getAddress();
            for (int n = 0; n < nics.size(); n++) {
                for (int a = 0; a < nics.get(n).addresses().size(); a++) {
                    if (TcpNics.address(nics.get(n), a).equals(asked)) {
                        return n;
                    }
                }
            }
        } catch (LinuxException | TransportException e) {
            log.debug("{}", e.getMessage());
        }
        return -1;
    }

    @Override
    public void attempt(Try what, Consumer<Outcome> told) {
        try {
            Nic nic = nics.get(what.nic());
            InetAddress own = TcpNics.address(nic, what.address());
            InetAddress peer = near(InetAddress.ofLiteral(what.peerAddress()), own);
            Doors doors = entrance.doors();
            doors.add(ProofTry.start(
                    own,
                    bindDevice ? nic.kernelDevice() : null,
                    new InetSocketAddress(peer, what.peerPort()),
                    what.token(),
                    told));
        } catch (LinuxException | TransportException | IllegalArgumentException e) {
            told.accept(new Outcome.Failed("cannot be reached: " + e.getMessage()));
        }
    }

    /** With a link-local address given the device of {@code own}: what its number is here, the peer cannot know. */
    static InetAddress near(InetAddress address, InetAddress own) {
        if (!(address instanceof Inet6Address)
                || !address.isLinkLocalAddress()
                || !(own instanceof Inet6Address device)) {
            return address;
        }
        try {
            return Inet6Address.getByAddress(null, address.getAddress(), device.getScopeId());
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    /** The doors are the transport's, and close with it. */
    @Override
    public void close() {}
}
