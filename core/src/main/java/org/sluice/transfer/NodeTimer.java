package org.sluice.transfer;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.ThreadLimitException;

/**
 * The node's one small thread of its own: it ends waits that are overdue and sends heartbeats, whatever the agents are kept from.
 * What it is given must be short and must not wait. Any thread may use it.
 */
public final class NodeTimer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(NodeTimer.class);

    private final ScheduledThreadPoolExecutor executor;

    /** @throws ThreadLimitException when the machine gives no thread */
    public NodeTimer() {
        executor = new ScheduledThreadPoolExecutor(
                1, task -> Thread.ofPlatform().name("node-timer").daemon(true).unstarted(task));
        executor.setRemoveOnCancelPolicy(true);
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        try {
            executor.prestartCoreThread();
        } catch (OutOfMemoryError e) {
            executor.shutdownNow();
            throw new ThreadLimitException("node-timer", e);
        }
    }

    /** Runs once, later; cancel the result when it is needed no more. Not at all once the node has closed. */
    public Future<?> in(Duration delay, Runnable task) {
        return scheduled(() -> executor.schedule(guarded(task), delay.toNanos(), TimeUnit.NANOSECONDS));
    }

    /** Runs again and again until the result is cancelled or the node closes. */
    public Future<?> every(Duration period, Runnable task) {
        long nanos = period.toNanos();
        return scheduled(() -> executor.scheduleWithFixedDelay(guarded(task), nanos, nanos, TimeUnit.NANOSECONDS));
    }

    private static Future<?> scheduled(Supplier<Future<?>> scheduling) {
        try {
            return scheduling.get();
        } catch (RejectedExecutionException e) {
            return CompletableFuture.completedFuture(null); // closed meanwhile
        }
    }

    /** One task's error is its own: an executor would silently stop repeating it. */
    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (Throwable e) {
                log.error("node-timer: internal error: {}", e.toString(), e);
            }
        };
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
