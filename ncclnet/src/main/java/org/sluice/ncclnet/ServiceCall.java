package org.sluice.ncclnet;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.TransportException;

/** One call of a plugin that may take its time, or never come back: a {@link PluginService} makes it, others look whether it is done. */
final class ServiceCall {
    private final CommPlace place;
    private final PluginCall call;
    private final IntSupplier body;
    private final CountDownLatch done = new CountDownLatch(1);
    private int result;
    private @Nullable RuntimeException thrown;
    private @Nullable Runnable orphaned;

    /** @param body the call, with its {@code ncclResult_t} */
    ServiceCall(CommPlace place, PluginCall call, IntSupplier body) {
        this.place = place;
        this.call = call;
        this.body = body;
    }

    /** As a thread that is stuck in it is named. */
    String name() {
        return place.name() + ": " + call.text;
    }

    /** Makes the call, and tells whoever waits. The service's thread. */
    void run(CallTrace trace) {
        place.enter(trace, call);
        try {
            result = body.getAsInt();
        } catch (RuntimeException e) {
            thrown = e;
        } finally {
            trace.leave();
            finish();
        }
    }

    /** The thread that would have made it cannot. */
    void fail(RuntimeException why) {
        thrown = why;
        finish();
    }

    private void finish() {
        Runnable left;
        synchronized (this) {
            done.countDown();
            left = orphaned;
        }
        if (left != null) {
            left.run();
        }
    }

    boolean isDone() {
        return done.getCount() == 0;
    }

    /** Nobody will ask for the result any more. @param whenDone frees what the call makes, should it come back */
    void orphan(Runnable whenDone) {
        synchronized (this) {
            if (!isDone()) {
                orphaned = whenDone;
                return;
            }
        }
        whenDone.run();
    }

    /** Waits a while. @return whether it is done */
    boolean await(long nanos) {
        boolean interrupted = false;
        long end = System.nanoTime() + nanos;
        try {
            while (true) {
                try {
                    return done.await(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    boolean succeeded() {
        return isDone() && thrown == null && result == NcclResult.SUCCESS;
    }

    /** What a call that is done came to. @throws TransportException where it failed */
    void check() throws TransportException {
        if (thrown != null) {
            throw new TransportException(name() + ": " + thrown.getMessage(), thrown);
        }
        place.check(call, result);
    }
}
