package org.sluice.daemon;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.linux.LinuxException;
import org.sluice.linux.UnixSocket;

/** The socket of one client, from its first byte on. Read by the serving thread; answered from any. */
final class Connection implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Connection.class);

    private final long number;
    private final UnixSocket socket;
    private final UnixSocket.Credentials peer;
    private final MessageReader reader;
    private final MessageWriter writer;
    private final long since = System.nanoTime();

    private Connection(long number, UnixSocket socket, UnixSocket.Credentials peer, Runnable full) {
        this.number = number;
        this.socket = socket;
        this.peer = peer;
        this.reader = new MessageReader(socket);
        this.writer = new MessageWriter(socket, full);
    }

    /**
     * Takes over a socket that was accepted; closes it where this fails.
     *
     * @param full told when an answer begins to wait for room in the socket; must not wait
     */
    static Connection over(UnixSocket socket, long number, Runnable full) throws LinuxException {
        try {
            return new Connection(number, socket, socket.peer(), full);
        } catch (LinuxException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    long number() {
        return number;
    }

    UnixSocket.Credentials peer() {
        return peer;
    }

    UnixSocket socket() {
        return socket;
    }

    MessageReader reader() {
        return reader;
    }

    MessageWriter writer() {
        return writer;
    }

    /** {@link System#nanoTime} of its beginning. */
    long since() {
        return since;
    }

    /** Sends, or ends the conversation where the client takes nothing; the serving thread sees that end. */
    void answer(Message message) {
        try {
            writer.send(message);
        } catch (LinuxException e) {
            log.debug("client {}: {}", number, e.getMessage());
            socket.shutdown();
        }
    }

    /** No thread may be reading; others may still try to answer. */
    @Override
    public void close() {
        writer.close();
        reader.close();
        socket.close();
    }
}
