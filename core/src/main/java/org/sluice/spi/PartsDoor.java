package org.sluice.spi;

/** Where one peer may come, see {@link PullTransport#listen}. */
public interface PartsDoor extends AutoCloseable {
    /** What the peer needs to come: at most {@link Transport#MAX_HANDLE_BYTES}, and nobody guesses it. */
    byte[] handle();

    /** Lets nobody in any more; who came stays. Idempotent. */
    @Override
    void close();
}
