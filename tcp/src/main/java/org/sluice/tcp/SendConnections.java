package org.sluice.tcp;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.PeerId;
import org.sluice.spi.TransportException;

/**
 * The data connections that this node has made, by rail. Channels of all links to a peer over one rail share its connections: as many
 * as the first GPU's link puts channels on the rail, times the connections of a channel, and never more than there are CPUs or {@link
 * #LEAST_LIMIT}. So one busy link can fill all of them, and more links do not make more. Any thread.
 */
final class SendConnections implements OutboundConnection.Home {
    /** A flow of TCP is bound to one queue of a NIC and one CPU at a time: with few CPUs, several still fill a wire better. */
    private static final int LEAST_LIMIT = Handle.MOST_SOCKETS;

    /** Enough for turns of channels to mean something, and for the kernel never to run dry while the thread is elsewhere. */
    private static final int UNSENT_BYTES = 1 << 20;

    private final IoThreads threads;
    private final int limit;
    private final Map<Key, Rail> rails = new HashMap<>();
    private final Map<OutboundConnection, Seat> seats = new HashMap<>();

    private record Key(PeerId peer, int device, InetAddress own, InetSocketAddress to) {}

    /** A connection and how many lanes it has. */
    private static final class Seat {
        private final OutboundConnection connection;
        private final Rail rail;
        private int users;

        Seat(OutboundConnection connection, Rail rail) {
            this.connection = connection;
            this.rail = rail;
        }
    }

    /** What is known of a rail while it has connections. */
    private static final class Rail {
        private final Key key;
        private final int founder;
        private final BitSet channels = new BitSet();
        private final List<Seat> seats = new ArrayList<>();
        private int wanted;

        Rail(Key key, int founder) {
            this.key = key;
            this.founder = founder;
        }
    }

    SendConnections(IoThreads threads, int cpus) {
        this.threads = threads;
        this.limit = Math.max(LEAST_LIMIT, cpus);
    }

    /**
     * Lends connections to a channel, which {@linkplain #left leaves} them.
     *
     * @param to where the peer listens
     * @return one for each of the channel's lanes; different ones where the rail has so many
     */
    synchronized List<OutboundConnection> take(Endpoint from, InetSocketAddress to, byte[] token, int count)
            throws TransportException {
        Key key = new Key(from.context().peer(), from.nic().device(), from.address(), to);
        Rail rail = rails.get(key);
        if (rail == null) {
            rail = new Rail(key, from.context().gpu().id());
            rails.put(key, rail);
        }
        int channel = from.context().channel();
        if (from.context().gpu().id() == rail.founder && !rail.channels.get(channel)) {
            rail.channels.set(channel);
            rail.wanted = Math.min(limit, rail.wanted + count);
        }
        List<OutboundConnection> taken = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                Seat seat = seat(rail, from, to, token);
                seat.users++;
                taken.add(seat.connection);
            }
            return taken;
        } catch (TransportException | RuntimeException e) {
            taken.forEach(this::left);
            if (rail.seats.isEmpty()) {
                rails.remove(key);
            }
            throw e;
        }
    }

    private Seat seat(Rail rail, Endpoint from, InetSocketAddress to, byte[] token) throws TransportException {
        if (rail.seats.size() < Math.max(1, rail.wanted)) {
            Seat fresh = new Seat(connect(from, to, token, false), rail);
            rail.seats.add(fresh);
            seats.put(fresh.connection, fresh);
            return fresh;
        }
        return rail.seats.stream().min(Comparator.comparingInt(s -> s.users)).orElseThrow();
    }

    /** A connection for one channel alone. */
    OutboundConnection alone(Endpoint from, InetSocketAddress to, byte[] token) throws TransportException {
        return connect(from, to, token, true);
    }

    private OutboundConnection connect(Endpoint from, InetSocketAddress to, byte[] token, boolean alone)
            throws TransportException {
        IoThread thread = threads.of(from.nic());
        @Nullable TcpSocket socket = null;
        try {
            socket = TcpSocket.open(to.getAddress());
            socket.bindSource(from.address());
            from.suit(socket, to.getAddress());
            socket.options().unsentLowWater(UNSENT_BYTES);
            boolean ignored = socket.connect(to); // the thread asks whether it is there
            String description = from.description(true, socket.localAddress(), to);
            OutboundConnection made = new OutboundConnection(
                    socket,
                    to,
                    thread,
                    description,
                    token,
                    alone,
                    from.options().drill(),
                    this);
            thread.add(made);
            return made;
        } catch (LinuxException e) {
            if (socket != null) {
                socket.close();
            }
            throw new TransportException(
                    from.nic().name() + " " + from.address().getHostAddress() + " > " + TcpSocket.text(to) + ": "
                            + e.getMessage(),
                    e);
        }
    }

    private void remove(Seat seat) {
        seats.remove(seat.connection);
        seat.rail.seats.remove(seat);
        if (seat.rail.seats.isEmpty()) {
            rails.remove(seat.rail.key, seat.rail);
        }
    }

    @Override
    public synchronized void left(OutboundConnection connection) {
        Seat seat = seats.get(connection);
        if (seat != null) {
            seat.users--;
        }
    }

    @Override
    public synchronized void ended(OutboundConnection connection) {
        Seat seat = seats.get(connection);
        if (seat != null) {
            remove(seat);
        }
    }

    @Override
    public synchronized boolean retire(OutboundConnection connection) {
        Seat seat = seats.get(connection);
        if (seat != null && seat.users > 0) {
            return false;
        }
        ended(connection);
        return true;
    }
}
