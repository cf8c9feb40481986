package org.sluice;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * One message under way. It is done when its last byte is in its destination and visible to the GPU there, on the sender's side
 * too; never earlier. Any thread may ask.
 */
public interface Transfer {
    /** Its length. */
    long bytes();

    /**
     * Ends it, wherever it is on its way; the link and every other transfer live on. Both sides' transfers fail with a
     * {@link CancelledException}, unless its last byte has landed first. Until it {@linkplain #isDone ends}, which takes as long as what
     * the peer has been asked for is under way, its memory is still in use. Any thread may; one that has ended is left alone.
     */
    void cancel();

    /** Whether it has ended, well or badly. */
    boolean isDone();

    /** Completes on the GPU's agent thread: what hangs on it must be short and must not wait. */
    CompletableFuture<Transfer> future();

    /** When both sides were ready for it and it began, as {@link System#nanoTime}; 0 until it is done. */
    long startedAt();

    /** When its end was known here, as {@link System#nanoTime}; 0 until it is done. */
    long endedAt();

    /**
     * Waits for the end.
     *
     * @throws NotDoneException when it is still under way after {@code atMost}; it goes on, and may be waited for again
     * @throws SluiceException why it failed
     */
    Transfer await(Duration atMost);
}
