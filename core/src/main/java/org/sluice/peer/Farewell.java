package org.sluice.peer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.transfer.NodeTimer;
import org.sluice.wire.ControlConnection;

/**
 * The end of a control connection on which last words were said. A socket that is closed while something lies in it unread resets the
 * connection, and the peer loses what it has not read: why the link ended. So it is closed when the peer has, or soon after; until then
 * what comes is thrown away. The node's timer looks; nobody else uses the connection any more.
 */
final class Farewell implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Farewell.class);

    private static final Duration LOOK = Duration.ofMillis(10);

    /** A peer that lives reads its connection far sooner, and closes it. */
    private static final long MOST_NANOS = 1_000_000_000;

    private final ControlConnection connection;
    private final SocketChannel socket;
    private final NodeTimer timer;
    private final ByteBuffer scratch = ByteBuffer.allocate(16 << 10);
    private final long until = System.nanoTime() + MOST_NANOS;
    private @Nullable Future<?> looking;
    private boolean shut;
    private boolean closed;

    private Farewell(ControlConnection connection, SocketChannel socket, NodeTimer timer) {
        this.connection = connection;
        this.socket = socket;
        this.timer = timer;
    }

    /** Takes a connection over on which nothing more is said. */
    static void to(ControlConnection connection, NodeTimer timer) {
        Farewell f = new Farewell(connection, connection.socket(), timer);
        timer.closeWithNode(f);
        synchronized (f) {
            f.looking = timer.every(LOOK, f::look);
        }
        f.look();
    }

    private synchronized void look() {
        if (!closed && ((hasSaidAll() && hasEnded()) || System.nanoTime() - until > 0)) {
            close();
        }
    }

    /** What the socket had no room for goes first. */
    private boolean hasSaidAll() {
        try {
            boolean _ = connection.flush(System.nanoTime());
            if (!connection.hasUnsent() && !shut) {
                shut = true;
                connection.shutdownOutput();
            }
            return shut;
        } catch (IOException e) {
            return true; // nobody is there to hear it: the read below says so too
        }
    }

    private boolean hasEnded() {
        try {
            int n;
            do {
                n = socket.read(scratch.clear());
            } while (n > 0);
            return n < 0;
        } catch (IOException e) {
            return true;
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (looking != null) {
            looking.cancel(false);
        }
        timer.forget(this);
        try {
            connection.close();
        } catch (IOException e) {
            log.debug("a connection that has ended: {}", e.toString());
        }
    }
}
