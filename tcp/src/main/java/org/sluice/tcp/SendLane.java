package org.sluice.tcp;

import org.jspecify.annotations.Nullable;
import org.sluice.linux.LinuxException;
import org.sluice.spi.Doorbell;
import org.sluice.spi.TransportException;

/** The sending end of a channel on one connection. A request is done when the kernel has taken its last byte. */
final class SendLane extends Lane {
    private final OutboundConnection connection;
    private final boolean checks;
    private final @Nullable Seal seal;
    private volatile boolean opened;
    private boolean closed;

    /** Its number on the connection; the thread's own, as all that follows. */
    private int number;

    /** Bytes that it may still send in this turn; below 0 where its last chunk was longer. */
    private long credit;

    /**
     * @param checks whether to put a checksum over each chunk
     * @param seal where the channel is encrypted
     */
    SendLane(OutboundConnection connection, Doorbell doorbell, boolean checks, @Nullable Seal seal) {
        super(doorbell, false);
        this.connection = connection;
        this.checks = checks;
        this.seal = seal;
    }

    boolean checks() {
        return checks;
    }

    @Nullable Seal seal() {
        return seal;
    }

    boolean isProtected() {
        return checks || seal != null;
    }

    /** Whether the peer has taken it in. Any thread. @throws TransportException when it never will */
    boolean isOpened() throws TransportException {
        TransportException why = failure();
        if (why != null) {
            throw why;
        }
        return opened;
    }

    @Override
    OutboundConnection connection() {
        return connection;
    }

    @Override
    void attend() {
        connection.activate(this);
    }

    long unanswered() throws LinuxException {
        return connection.unanswered();
    }

    int number() {
        return number;
    }

    void number(int onConnection) {
        number = onConnection;
    }

    void opened() {
        opened = true;
        ring();
    }

    /** Whether its turn goes on; a longer one begins with {@code more} bytes. */
    boolean mayGoOn() {
        return credit > 0;
    }

    void grant(long more) {
        credit += more;
    }

    void spend(long bytes) {
        credit -= bytes;
    }

    @Override
    void close() {
        if (!closed) {
            closed = true;
            connection.thread().call(() -> connection.detach(this));
            connection.home().left(connection);
        }
    }
}
