package org.sluice.tcp;

import org.jspecify.annotations.Nullable;
import org.sluice.linux.LinuxException;
import org.sluice.spi.Doorbell;

/** The receiving end of a channel on one connection. */
final class ReceiveLane extends Lane {
    private final InboundConnection connection;
    private final int number;
    private final boolean alone;
    private final @Nullable Seal seal;
    private boolean closed;

    /** Nobody takes its bytes any more; the thread's own, as what follows. */
    private boolean gone;

    /** What may still come then: what was on its way. */
    private long allowance;

    /**
     * @param number on the connection
     * @param alone whether it has the connection for itself, which then waits for receives that come later than their sends
     * @param seal where the channel is encrypted
     */
    ReceiveLane(InboundConnection connection, int number, boolean alone, Doorbell doorbell, @Nullable Seal seal) {
        super(doorbell, true);
        this.connection = connection;
        this.number = number;
        this.alone = alone;
        this.seal = seal;
    }

    int number() {
        return number;
    }

    boolean isAlone() {
        return alone;
    }

    @Nullable Seal seal() {
        return seal;
    }

    @Override
    InboundConnection connection() {
        return connection;
    }

    @Override
    void attend() {
        connection.resume();
    }

    long bytesReceived() throws LinuxException {
        return connection.bytesReceived();
    }

    boolean isGone() {
        return gone;
    }

    /** Nobody takes its bytes any more: only what was granted may still come. */
    void leave() {
        gone = true;
        Requests r = requests();
        long end = posted();
        for (long n = done(); n < end; n++) {
            allow(r.bytes[r.slot(n)] + (seal == null ? 0 : Seal.TAG_BYTES));
        }
    }

    void allow(long bytes) {
        allowance += bytes;
    }

    /** So many bytes come that nobody takes. @return whether they were on their way when that began to be so */
    boolean spend(long bytes) {
        allowance -= bytes;
        return allowance >= 0;
    }

    @Override
    void close() {
        if (!closed) {
            closed = true;
            connection.thread().call(() -> connection.detach(this));
        }
    }
}
