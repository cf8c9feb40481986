package org.sluice.tcp;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.TransportException;

/**
 * The data connections that peers have made to this node, and the channels that they may open there. A connection is let in by the token
 * of one channel, and may open every channel whose token its peer knows. Any thread.
 */
final class ReceiveConnections {
    private final IoThreads threads;
    private final Map<ByteBuffer, TcpListener> listeners = new ConcurrentHashMap<>();

    ReceiveConnections(IoThreads threads) {
        this.threads = threads;
    }

    void expect(byte[] token, TcpListener listener) {
        listeners.put(ByteBuffer.wrap(token.clone()), listener);
    }

    void forget(byte[] token) {
        listeners.remove(ByteBuffer.wrap(token));
    }

    /** Takes a connection in that has greeted with the token of a channel. On the doors' thread. */
    void adopt(TcpSocket socket, Endpoint endpoint) throws TransportException {
        try {
            Endpoint.suitAccepted(socket);
            socket.options().mayWait(Connection.WAIT_MILLIS);
            String description = endpoint.description(false, socket.localAddress(), socket.peerAddress());
            IoThread thread = threads.of(endpoint.nic());
            thread.add(new InboundConnection(socket, thread, description, this));
        } catch (LinuxException e) {
            socket.close(); // it has left already
        }
    }

    /** A connection opens a channel. On its thread. @return the channel's lane there; null for one that nobody expects */
    @Nullable ReceiveLane admit(InboundConnection connection, byte[] token, int number, int which, boolean alone) {
        TcpListener listener = listeners.get(ByteBuffer.wrap(token));
        return listener == null ? null : listener.open(connection, number, which, alone);
    }
}
