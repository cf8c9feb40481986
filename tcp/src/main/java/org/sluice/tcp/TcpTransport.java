package org.sluice.tcp;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.sluice.LeftOut;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Connector;
import org.sluice.spi.Listener;
import org.sluice.spi.Nic;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;

/** Kernel sockets: a channel is one or more connections between two NICs' addresses, each with an I/O thread of its own. */
final class TcpTransport implements Transport {
    /**
     * A lost connection request is sent again by the kernel only after a second, and then ever later: a new attempt is sooner.
     * Longer than any round trip on a wire.
     */
    private static final Duration ATTEMPT = Duration.ofMillis(500);

    /** With the head these are as many as one system call takes; more would be split. */
    private static final int MOST_PIECES = 1000;

    private final TcpNics nics;
    private final int socketsPerChannel;
    private final TcpOptions options;
    private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();

    TcpTransport(TcpNics nics, int socketsPerChannel, TcpOptions options) {
        this.nics = nics;
        this.socketsPerChannel = socketsPerChannel;
        this.options = options;
    }

    @Override
    public String name() {
        return TcpTransportProvider.NAME;
    }

    @Override
    public List<Nic> devices() {
        return nics.nics();
    }

    @Override
    public List<LeftOut> leftOut() {
        return nics.leftOut();
    }

    @Override
    public boolean ringsDoorbell() {
        return true;
    }

    @Override
    public int mostPieces() {
        return MOST_PIECES;
    }

    @Override
    public Duration attemptTime() {
        return ATTEMPT;
    }

    @Override
    public Listener listen(int device, ChannelContext context) throws TransportException {
        Nic nic = nics.nics().get(device);
        InetAddress address = TcpNics.address(nic, context.address());
        return new TcpListener(new Endpoint(nic, address, options, context, open), socketsPerChannel);
    }

    @Override
    public Connector connect(int device, byte[] handle, ChannelContext context) throws TransportException {
        Handle to = Handle.decode(handle);
        Nic nic = nics.nics().get(device);
        InetAddress address = TcpNics.address(nic, context.address());
        return new TcpConnector(new Endpoint(nic, address, options, context, open), to);
    }

    @Override
    public void close() {
        for (AutoCloseable c : open) {
            try {
                c.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        open.clear();
    }
}
