package org.sluice.engine;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.ClosedException;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.NotDoneException;
import org.sluice.SluiceException;
import org.sluice.Transfer;
import org.sluice.Where;
import org.sluice.stats.TransferCounters;
import org.sluice.stats.TransferEvent;
import org.sluice.transfer.ChunkedTransfer;
import org.sluice.transfer.Completion;
import org.sluice.transfer.EndReason;
import org.sluice.transfer.LinkEngine;

/**
 * One message under way. It is done when its last byte is in its destination and visible to the GPU there, on the sender's side
 * too; never earlier. Any thread may ask.
 */
final class PendingTransfer implements Transfer {
    private final Where where;
    private final long bytes;
    private final CompletableFuture<Transfer> future = new CompletableFuture<>();
    private volatile Consumer<EndReason> canceller = why -> {};
    /** The engine's side of it; belongs to the agent. Null before it has begun, and where it never did. */
    private @Nullable ChunkedTransfer begun;

    private volatile long startedAt;
    private volatile long endedAt;

    /** @param where the link, as messages name it */
    PendingTransfer(Where where, long bytes) {
        this.where = where;
        this.bytes = bytes;
    }

    /** Nobody will hear of its end: its agent does not come back. Its memory stays in use. */
    void abandon(SluiceException why) {
        future.completeExceptionally(why);
    }

    Completion completion(LocalLayout region, TransferCounters counters, TransferEvent event, Runnable over) {
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
                over.run();
                future.complete(PendingTransfer.this);
            }

            @Override
            public void failed(SluiceException why) {
                counters.failed();
                event.commit(String.valueOf(why.getMessage()));
                region.release();
                over.run();
                future.completeExceptionally(why);
            }
        };
    }

    /** @param agent has {@link #cancel(LinkEngine, EndReason)} called by the agent */
    void cancelsWith(Consumer<EndReason> agent) {
        canceller = agent;
    }

    void begun(@Nullable ChunkedTransfer transfer) {
        begun = transfer;
    }

    void cancel(LinkEngine engine, EndReason why) {
        ChunkedTransfer t = begun;
        if (t != null) {
            engine.cancel(t, why);
        }
    }

    @Override
    public void cancel() {
        if (!isDone()) {
            canceller.accept(EndReason.CANCELLED);
        }
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public boolean isDone() {
        return future.isDone();
    }

    @Override
    public CompletableFuture<Transfer> future() {
        return future.copy();
    }

    @Override
    public long startedAt() {
        return startedAt;
    }

    @Override
    public long endedAt() {
        return endedAt;
    }

    @Override
    public Transfer await(Duration atMost) {
        try {
            return future.get(atMost.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SluiceException s) {
                throw s;
            }
            throw new LinkException(ErrorCode.INTERNAL, where, String.valueOf(e.getCause()), e);
        } catch (TimeoutException e) {
            throw new NotDoneException(
                    where,
                    "a transfer of " + bytes + " bytes is not done after " + atMost.toMillis() + " ms; it goes on",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClosedException(ErrorCode.INTERRUPTED, where, "interrupted while waiting for a transfer", e);
        }
    }
}
