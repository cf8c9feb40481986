package org.sluice.ncclnet;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.Gpu;
import org.sluice.spi.TransportException;

/**
 * A GPU's thread for those of a plugin's calls that may take their time: listen, connect, accept, register. The agent starts them here
 * and goes on; only what moves bytes it calls itself. NCCL divides the work likewise, between its proxy's service and progress threads,
 * so that plugins know it.
 *
 * <p>Calls are made one after the other. One that does not come back soon keeps its thread for itself, and another thread takes the
 * rest over: nothing waits behind it, and its result counts when it comes.
 */
final class PluginService implements AutoCloseable {
    /** From then on a call is on its own. Plugins' calls are meant to return at once. */
    private static final long SOON_NANOS = 50_000_000;

    /** How long a starter may wait for its call: most have come back by then, and it saves a turn. */
    static final long BRIEF_NANOS = 500_000;

    private final Gpu gpu;
    private final Deque<ServiceCall> waiting = new ArrayDeque<>();
    private @Nullable Thread thread;
    private @Nullable ServiceCall current;
    private long currentSince;
    private boolean closed;

    PluginService(Gpu gpu) {
        this.gpu = gpu;
    }

    /** Has a call made. The caller looks at it from time to time, and calls {@link #relieve} where it is not done. */
    ServiceCall start(CommPlace place, PluginCall call, IntSupplier body) {
        ServiceCall made = new ServiceCall(place, call, body);
        synchronized (this) {
            waiting.add(made);
            notifyAll();
            if (thread == null && !closed) {
                thread = begin();
            }
        }
        return made;
    }

    /** Has a call made and waits for it. @throws TransportException where it fails, or does not come back in time */
    void call(CommPlace place, PluginCall call, long nanos, IntSupplier body) throws TransportException {
        ServiceCall made = start(place, call, body);
        CallClock clock = new CallClock(nanos, System.nanoTime());
        while (!made.await(Math.min(SOON_NANOS, nanos))) {
            relieve();
            if (clock.isOver(System.nanoTime())) {
                throw place.overdue(call, nanos);
            }
        }
        made.check();
    }

    /** Gives the calls that wait another thread, where one has not come back soon. */
    synchronized void relieve() {
        ServiceCall stuck = current;
        Thread old = thread;
        if (stuck != null && old != null && !waiting.isEmpty() && System.nanoTime() - currentSince > SOON_NANOS) {
            old.setName(stuck.name());
            current = null;
            thread = begin();
        }
    }

    private Thread begin() {
        return Thread.ofPlatform()
                .name("gpu" + gpu.id() + "-plugin")
                .daemon(true)
                .start(this::run);
    }

    private void run() {
        CallTrace trace = ExitNotice.trace(false);
        try {
            RuntimeException unbound = bind();
            for (ServiceCall c = next(); c != null; c = next()) {
                if (unbound != null) {
                    c.fail(unbound);
                } else {
                    c.run(trace);
                }
            }
        } finally {
            ExitNotice.giveBack(trace);
        }
    }

    private @Nullable RuntimeException bind() {
        try {
            gpu.bindThread();
            return null;
        } catch (RuntimeException e) {
            return e;
        }
    }

    /** The next call for this thread; null when another has taken over, or at the end. */
    private synchronized @Nullable ServiceCall next() {
        if (thread != Thread.currentThread()) {
            return null;
        }
        current = null;
        while (waiting.isEmpty() && !closed) {
            try {
                wait();
            } catch (InterruptedException e) {
                return null;
            }
            if (thread != Thread.currentThread()) {
                return null;
            }
        }
        current = waiting.poll();
        currentSince = System.nanoTime();
        return current;
    }

    /** Ends the thread once its calls are made. @return nothing is waited for */
    @Override
    public synchronized void close() {
        closed = true;
        notifyAll();
    }
}
