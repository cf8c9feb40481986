package org.sluice.host;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.Threads;

/**
 * Threads that copy large stretches of host memory together with who asks for it, where one thread does not reach what the memory can: none on
 * small machines, where they would take a CPU from others. They start with the first large copy, and rest where there is none.
 */
final class CopyWorkers implements AutoCloseable {
    /** What a thread takes at a time: long beside taking it, short beside a step of a transfer. */
    static final long SLICE = 256 << 10;

    /** Less is not worth waking anybody. */
    private static final long LEAST = 4 * SLICE;

    /** One thread of {@link #CPUS_A_THREAD} CPUs copies, four at the most. */
    private static final int MOST_THREADS = 4;

    private static final int CPUS_A_THREAD = 4;

    /** How long a worker looks for the next stretch before it rests. */
    private static final long LOOKS_NANOS = 50_000;

    /** Copies some of a stretch. Any thread. */
    interface Copy {
        void some(long offset, long bytes);
    }

    /** A stretch under way. */
    private static final class Stretch {
        private final Copy copy;
        private final long bytes;
        private final int slices;
        private final AtomicInteger taken = new AtomicInteger();
        private final AtomicInteger done = new AtomicInteger();
        private volatile @Nullable Throwable failure;

        Stretch(Copy copy, long bytes) {
            this.copy = copy;
            this.bytes = bytes;
            this.slices = (int) ((bytes + SLICE - 1) / SLICE);
        }

        boolean hasMore() {
            return taken.get() < slices;
        }

        void help() {
            for (int slice = taken.getAndIncrement(); slice < slices; slice = taken.getAndIncrement()) {
                try {
                    long at = slice * SLICE;
                    copy.some(at, Math.min(SLICE, bytes - at));
                } catch (Throwable e) {
                    failure = e;
                } finally {
                    done.incrementAndGet();
                }
            }
        }
    }

    private final class Worker implements Runnable {
        final Thread thread;
        volatile boolean rests;

        Worker(int number) {
            thread = Thread.ofPlatform()
                    .name(name + "-copy" + number)
                    .daemon(true)
                    .unstarted(this);
        }

        @Override
        public void run() {
            long lookedSince = System.nanoTime();
            while (!closed) {
                Stretch s = current;
                if (s != null && s.hasMore()) {
                    s.help();
                    lookedSince = System.nanoTime();
                } else if (System.nanoTime() - lookedSince < LOOKS_NANOS) {
                    Thread.onSpinWait();
                } else {
                    rests = true;
                    Stretch again = current;
                    if (!closed && (again == null || !again.hasMore())) {
                        LockSupport.park(this);
                    }
                    rests = false;
                    lookedSince = System.nanoTime();
                }
            }
        }
    }

    private final String name;
    private final int count;
    private Worker @Nullable [] workers;
    private volatile @Nullable Stretch current;
    private volatile boolean closed;

    /** @param name of whose threads they are @param count besides the one that asks, from 0 */
    CopyWorkers(String name, int count) {
        this.name = name;
        this.count = count;
    }

    /** As many as pay on this machine. */
    static CopyWorkers of(String name) {
        int cpus = Runtime.getRuntime().availableProcessors();
        return new CopyWorkers(name, Math.clamp(cpus / CPUS_A_THREAD, 1, MOST_THREADS) - 1);
    }

    /** Has a stretch copied: it is there when this returns. Of several callers at a time one has the workers. */
    void copy(long bytes, Copy copy) {
        if (count == 0 || bytes < LEAST || closed) {
            copy.some(0, bytes);
        } else {
            together(bytes, copy);
        }
    }

    private synchronized void together(long bytes, Copy copy) {
        Worker[] all = started();
        Stretch s = new Stretch(copy, bytes);
        current = s;
        for (Worker w : all) {
            if (w.rests) {
                LockSupport.unpark(w.thread);
            }
        }
        s.help();
        while (s.done.get() < s.slices) { // what others took is a slice each
            Thread.onSpinWait();
        }
        current = null;
        Throwable failure = s.failure;
        if (failure != null) {
            throw new IllegalStateException("a copy of host memory failed: " + failure, failure);
        }
    }

    /** A machine that gives no threads has the copies done by who asks. */
    private Worker[] started() {
        Worker[] all = workers;
        if (all == null) {
            all = new Worker[count];
            for (int i = 0; i < count; i++) {
                all[i] = new Worker(i);
            }
            try {
                for (Worker w : all) {
                    Threads.start(w.thread);
                }
            } catch (ThreadLimitException e) {
                closed = true;
                all = new Worker[0];
            }
            workers = all;
        }
        return all;
    }

    /** The threads end; nobody copies by them any more. Idempotent. */
    @Override
    public synchronized void close() {
        closed = true;
        Worker[] all = workers;
        if (all != null) {
            for (Worker w : all) {
                LockSupport.unpark(w.thread);
            }
        }
    }
}
