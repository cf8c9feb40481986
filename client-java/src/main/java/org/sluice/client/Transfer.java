package org.sluice.client;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A request under way. Any thread may ask. */
public final class Transfer {
    private static final long SPIN_NANOS = Runtime.getRuntime().availableProcessors() > 4 ? 50_000 : 5_000;

    private final SluiceClient client;
    private final long number;
    private final CompletableFuture<Long> future = new CompletableFuture<>();

    Transfer(SluiceClient client, long number) {
        this.client = client;
        this.number = number;
    }

    long number() {
        return number;
    }

    /** Completes with the bytes moved, or with a {@link SluiceClientException}. What hangs on it must not wait. */
    public CompletableFuture<Long> future() {
        return future.copy();
    }

    /** Whether it has ended, well or badly. */
    public boolean isDone() {
        if (!future.isDone()) {
            client.take();
        }
        return future.isDone();
    }

    /**
     * Waits for the end.
     *
     * @return bytes moved
     * @throws SluiceClientException why it failed, or with status {@link SluiceClientException#DEADLINE} when it is still under way
     */
    public long await(Duration atMost) {
        long begin = System.nanoTime();
        while (!isDone() && System.nanoTime() - begin < SPIN_NANOS) {
            Thread.onSpinWait();
        }
        try {
            return future.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SluiceClientException) {
                SluiceClientException s = (SluiceClientException) e.getCause();
                throw new SluiceClientException(s.status(), s.getMessage(), s);
            }
            throw new IllegalStateException(e);
        } catch (TimeoutException e) {
            throw new SluiceClientException(
                    SluiceClientException.DEADLINE, "still under way after " + atMost.toMillis() + " ms", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SluiceClientException(SluiceClientException.DEADLINE, "interrupted", e);
        }
    }

    /** Asks for its end; it ends all the same, and says how. */
    public void cancel() {
        client.cancel(number);
    }

    void done(long bytes) {
        future.complete(bytes);
    }

    void failed(int status, String why) {
        future.completeExceptionally(new SluiceClientException(status, why));
    }
}
