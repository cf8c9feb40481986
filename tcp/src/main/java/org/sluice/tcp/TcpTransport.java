package org.sluice.tcp;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.sluice.LeftOut;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Connector;
import org.sluice.spi.Listener;
import org.sluice.spi.Nic;
import org.sluice.spi.RailProver;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;

/**
 * Kernel sockets. Connections belong to the rails of a peer and are shared by the channels of all links to it; a fixed number of I/O
 * threads serves them.
 */
final class TcpTransport implements Transport {
    /**
     * A lost connection request is sent again by the kernel only after a second, and then ever later: a new attempt is sooner.
     * Longer than any round trip on a wire.
     */
    private static final Duration ATTEMPT = Duration.ofMillis(500);

    /** With the head these are as many as one system call takes; more would be split. */
    private static final int MOST_PIECES = 1000;

    /** I/O threads of a direction, however few CPUs there are: a thread that has a connection to itself costs fewer calls. */
    static final int LEAST_THREADS = 4;

    private final TcpNics nics;
    private final int socketsPerChannel;
    private final TcpOptions options;
    private final RailProver prover;
    private final IoThreads sending;
    private final IoThreads receiving;
    private final SendConnections sendConnections;
    private final ReceiveConnections receiveConnections;
    private @Nullable Doors doors;
    private boolean closed;
    private final Set<AutoCloseable> open = ConcurrentHashMap.newKeySet();

    TcpTransport(TcpNics nics, int socketsPerChannel, TcpOptions options) {
        this.nics = nics;
        this.socketsPerChannel = socketsPerChannel;
        this.options = options;
        this.prover = new TcpRailProver(nics.nics(), options.bindDevice(), this::doors);
        int cpus = Runtime.getRuntime().availableProcessors();
        int threads = Math.max(LEAST_THREADS, cpus);
        this.sending = new IoThreads(true, nics.nics().size(), threads, options);
        this.receiving = new IoThreads(false, nics.nics().size(), threads, options);
        this.sendConnections = new SendConnections(sending, cpus);
        this.receiveConnections = new ReceiveConnections(receiving);
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
        return new TcpListener(
                new Endpoint(nic, address, options, context), socketsPerChannel, doors(), receiveConnections, open);
    }

    @Override
    public Connector connect(int device, byte[] handle, ChannelContext context) throws TransportException {
        Handle to = Handle.decode(handle);
        Nic nic = nics.nics().get(device);
        InetAddress address = TcpNics.address(nic, context.address());
        return new TcpConnector(new Endpoint(nic, address, options, context), to, sendConnections, open);
    }

    /** Opened when they are first needed: who only looks at the NICs takes no ports. */
    private synchronized Doors doors() throws TransportException {
        Doors there = doors;
        if (there == null) {
            if (closed) {
                throw new TransportException("the transport is closed");
            }
            there = new Doors(nics.nics(), options.dataPorts(), options.bindDevice());
            doors = there;
        }
        return there;
    }

    @Override
    public Optional<RailProver> railProver() {
        return Optional.of(prover);
    }

    private synchronized void closeDoors() {
        closed = true;
        if (doors != null) {
            doors.close();
            doors = null;
        }
    }

    @Override
    public void close() {
        closeDoors();
        for (AutoCloseable c : open) {
            try {
                c.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        open.clear();
        sending.close();
        receiving.close();
    }
}
