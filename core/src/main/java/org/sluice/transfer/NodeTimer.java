package org.sluice.transfer;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
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

    /** What ends by itself gets so long when the node closes. */
    private static final long ENDINGS_NANOS = 250_000_000;

    private final ScheduledThreadPoolExecutor executor;
    private final Set<AutoCloseable> endings = ConcurrentHashMap.newKeySet();

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

    /** Something that ends by itself soon, and at the latest with the node. */
    public void closeWithNode(AutoCloseable ending) {
        endings.add(ending);
    }

    /** It has ended. */
    public void forget(AutoCloseable ending) {
        endings.remove(ending);
    }

    @Override
    public void close() {
        long until = System.nanoTime() + ENDINGS_NANOS;
        while (!endings.isEmpty() && System.nanoTime() - until < 0) {
            LockSupport.parkNanos(1_000_000);
        }
        executor.shutdownNow();
        for (AutoCloseable e : List.copyOf(endings)) {
            try {
                e.close();
            } catch (Exception failed) {
                log.debug("while closing: {}", failed.toString());
            }
        }
    }
}
