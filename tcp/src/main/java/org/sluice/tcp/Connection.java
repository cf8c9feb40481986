package org.sluice.tcp;

import java.io.IOException;
import java.util.Map;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpInfo;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.ConnectionFacts;
import org.sluice.spi.TransportException;

/**
 * One connection of a rail, which the channels of all links between two nodes share. Belongs to its I/O thread; what other threads may
 * call says so.
 */
abstract class Connection {
    /** Others who want something of a thread that waits in the middle of a frame wait no longer than this. */
    static final int WAIT_MILLIS = 20;

    private final TcpSocket socket;
    private final IoThread thread;
    private final String description;
    private long token;
    private boolean queued;
    private boolean waits;
    private boolean ended;

    /** Guards the descriptor against being freed while another thread asks the kernel about it. */
    private final Object descriptor = new Object();

    private boolean closed;

    Connection(TcpSocket socket, IoThread thread, String description) {
        this.socket = socket;
        this.thread = thread;
        this.description = description;
    }

    /** What it waits for: events of {@link org.sluice.linux.Epoll}. */
    abstract int interest();

    /** Some of that has come. */
    abstract void ready(int events);

    /** Moves what can be moved now. @return whether there is more to do at once. @throws IOException when it is broken */
    abstract boolean turn(IoThread.Tools tools) throws IOException;

    /** Comes round now and then. @throws IOException when it has to end */
    abstract void look(long now) throws IOException;

    /** It has ended: tells its lanes. */
    abstract void ended(TransportException why);

    final TcpSocket socket() {
        return socket;
    }

    /** Any thread. */
    final IoThread thread() {
        return thread;
    }

    /** Both ends. Any thread. */
    final String description() {
        return description;
    }

    final long token() {
        return token;
    }

    final void token(long number) {
        token = number;
    }

    final boolean isQueued() {
        return queued;
    }

    final void queued(boolean isQueued) {
        queued = isQueued;
    }

    /** Whether its thread has nothing else to do, and may wait in the middle of a frame, for {@link #WAIT_MILLIS} at the most. */
    final boolean waits() {
        return waits;
    }

    final void waits(boolean isAlone) {
        waits = isAlone;
    }

    /** Whether there is nothing to be done on it any more. */
    final boolean isEnded() {
        return ended;
    }

    /** Frees the descriptor, and then tells. Idempotent. */
    final void end(TransportException why) {
        if (!ended) {
            ended = true;
            synchronized (descriptor) {
                closed = true;
                socket.close();
            }
            ended(why);
        }
    }

    /** What the kernel says of it; nothing where it says nothing any more. Any thread. */
    final ConnectionFacts facts() {
        try {
            synchronized (descriptor) {
                if (!closed) {
                    return KernelFacts.of(description, TcpInfo.of(socket.fd()));
                }
            }
        } catch (LinuxException e) {
            // a connection that is broken has no facts
        }
        return new ConnectionFacts(description, Map.of());
    }

    /** For how long the peer's kernel has left unanswered what was sent, nanoseconds. Any thread. */
    final long unanswered() throws LinuxException {
        synchronized (descriptor) {
            return closed ? 0 : TcpInfo.of(socket.fd()).unansweredNanos();
        }
    }

    /** Bytes that have come in, read or not. Any thread. */
    final long bytesReceived() throws LinuxException {
        synchronized (descriptor) {
            return closed ? 0 : TcpInfo.of(socket.fd()).bytesReceived();
        }
    }
}
