package org.sluice;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.sluice.data.Completion;
import org.sluice.stats.TransferCounters;
import org.sluice.stats.TransferEvent;

/**
 * One message under way. It is done when its last byte is in its destination and visible to the GPU there, on the sender's side
 * too; never earlier. Any thread may ask.
 */
public final class Transfer {
    private final long bytes;
    private final CompletableFuture<Transfer> future = new CompletableFuture<>();
    private volatile long startedAt;
    private volatile long endedAt;

    Transfer(long bytes) {
        this.bytes = bytes;
    }

    Completion completion(Region region, TransferCounters counters, TransferEvent event) {
        region.use();
        event.begin();
        return new Completion() {
            @Override
            public void done(long started) {
                startedAt = started;
                endedAt = System.nanoTime();
                counters.done(bytes, endedAt - started);
                event.commit("");
                region.release();
                future.complete(Transfer.this);
            }

            @Override
            public void failed(SluiceException why) {
                counters.failed();
                event.commit(String.valueOf(why.getMessage()));
                region.release();
                future.completeExceptionally(why);
            }
        };
    }

    /** Its length. */
    public long bytes() {
        return bytes;
    }

    /** Whether it has ended, well or badly. */
    public boolean isDone() {
        return future.isDone();
    }

    /** Completes on the GPU's agent thread: what hangs on it must be short and must not wait. */
    public CompletableFuture<Transfer> future() {
        return future.copy();
    }

    /** When both sides were ready for it and it began, as {@link System#nanoTime}; 0 until it is done. */
    public long startedAt() {
        return startedAt;
    }

    /** When its end was known here, as {@link System#nanoTime}; 0 until it is done. */
    public long endedAt() {
        return endedAt;
    }

    /**
     * Waits for the end.
     *
     * @throws SluiceException why it failed, or a {@link LinkException} when it is still under way after {@code atMost}; it then
     *     goes on
     */
    public Transfer await(Duration atMost) {
        try {
            return future.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SluiceException s) {
                throw s;
            }
            throw new LinkException(String.valueOf(e.getCause()), e);
        } catch (TimeoutException e) {
            throw new LinkException(
                    "a transfer of " + bytes + " bytes was not done within " + atMost.toMillis() + " ms", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClosedException("interrupted while waiting for a transfer", e);
        }
    }
}
