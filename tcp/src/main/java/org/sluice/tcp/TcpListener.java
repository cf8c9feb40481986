package org.sluice.tcp;

import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.Listener;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.TransportException;

/**
 * Waits for one channel to be opened, on connections that come in at the {@link Doors} or are there already. Who shows the channel's
 * token may open it.
 */
final class TcpListener implements Listener {
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Endpoint endpoint;
    private final Handle handle;
    private final Doors doors;
    private final ReceiveConnections connections;
    private final Set<AutoCloseable> open;
    private final @Nullable ReceiveLane[] lanes;
    private @Nullable TransportException trouble;
    private boolean closed;
    private boolean handedOut;

    /** @param open everything of the transport that is open */
    TcpListener(Endpoint endpoint, int sockets, Doors doors, ReceiveConnections connections, Set<AutoCloseable> open) {
        this.endpoint = endpoint;
        this.doors = doors;
        this.connections = connections;
        this.open = open;
        this.lanes = new ReceiveLane[sockets];
        byte[] token = new byte[Handle.TOKEN_BYTES];
        RANDOM.nextBytes(token);
        this.handle = new Handle(
                new InetSocketAddress(endpoint.address(), doors.port()),
                doors.herePort(),
                token,
                sockets,
                endpoint.options().encryption());
        connections.expect(token, this);
        doors.guests().expect(token, this::welcome);
        open.add(this);
    }

    /** On the doors' thread: somebody brings a connection. */
    private @Nullable Visit welcome(TcpSocket socket, byte[] greeting, int nic) {
        if (Greeting.purpose(greeting) != Greeting.DATA) {
            socket.close();
            return null;
        }
        try {
            connections.adopt(socket, endpoint);
        } catch (TransportException | RuntimeException e) {
            socket.close();
            failed(new TransportException(String.valueOf(e.getMessage()), e));
        }
        return null;
    }

    private synchronized void failed(TransportException why) {
        trouble = why;
        endpoint.context().doorbell().ring();
    }

    /**
     * A connection opens the channel, or its part of it. On the connection's thread.
     *
     * @return null for one who may not
     */
    synchronized @Nullable ReceiveLane open(InboundConnection connection, int number, int which, boolean alone) {
        if (closed || handedOut || which >= lanes.length) {
            return null;
        }
        ReceiveLane there = lanes[which];
        if (there != null && there.failure() == null) {
            return null;
        }
        try {
            @Nullable Seal seal = handle.encrypted() ? new Seal(endpoint.context().keys(), handle.token(), which) : null;
            ReceiveLane lane = new ReceiveLane(
                    connection, number, alone, endpoint.context().doorbell(), seal);
            lanes[which] = lane;
            endpoint.context().doorbell().ring();
            return lane;
        } catch (TransportException e) {
            failed(e);
            return null;
        }
    }

    @Override
    public byte[] handle() {
        return handle.encode();
    }

    @Override
    public synchronized @Nullable ReceiveChannel accept() throws TransportException {
        TransportException why = trouble;
        if (why != null) {
            throw new TransportException(
                    endpoint.nic().name() + " " + endpoint.address().getHostAddress() + ": " + why.getMessage(), why);
        }
        ReceiveLane[] all = new ReceiveLane[lanes.length];
        for (int i = 0; i < all.length; i++) {
            ReceiveLane lane = lanes[i];
            if (lane == null || lane.failure() != null) {
                return null;
            }
            all[i] = lane;
        }
        handedOut = true;
        ReceiveChannel channel = new TcpReceiveChannel(all, all[0].connection().description(), open);
        open.add(channel);
        return channel;
    }

    @Override
    public void close() {
        open.remove(this);
        connections.forget(handle.token());
        doors.guests().forget(handle.token());
        boolean givesUp;
        synchronized (this) {
            givesUp = !closed && !handedOut;
            closed = true;
        }
        if (givesUp) {
            for (ReceiveLane lane : lanes) {
                if (lane != null) {
                    lane.close();
                }
            }
        }
    }
}
