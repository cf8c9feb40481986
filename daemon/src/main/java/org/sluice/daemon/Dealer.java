package org.sluice.daemon;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.sluice.Transfer;

/**
 * Deals what clients ask for to the node, by bytes in turn: each client that has work may have an equal share of the bytes under way,
 * whatever the size of its requests, and no client's large request keeps another's small one waiting. Any thread; never waits but in
 * {@link Queue#drain}.
 */
final class Dealer {
    /**
     * Bytes under way of a client that is alone: more than any rail needs to stay busy, and what memory of this host's other GPUs takes
     * in a few milliseconds.
     */
    private static final long ALONE = 64 << 20;

    private static final long MOST_ALONE = 512 << 20;
    private static final long ALONE_NANOS = TimeUnit.MILLISECONDS.toNanos(3);
    /** Bytes under way of all clients when several have work: little, because what the node has taken nobody reorders. */
    private static final long TOGETHER = 8 << 20;

    private static final long MOST_TOGETHER = 128 << 20;
    private static final long TOGETHER_NANOS = TimeUnit.MICROSECONDS.toNanos(250);

    private static final long LEAST_SHARE = 1 << 20;
    private static final long MOST_SLICE = 32 << 20;
    private static final long LEAST_SLICE = 512 << 10;
    /** How long a client counts as having work after its last: who posts one request at a time has work in between too. */
    private static final long ACTIVE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** Told the end of each request, on any thread, without the dealer's lock. */
    interface Ending {
        void ended(Job job, @Nullable Throwable failure);
    }

    /** A request that is over, to be told once the lock is free. */
    private record Over(Queue queue, Job job) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition drained = lock.newCondition();
    private final List<Queue> queues = new ArrayList<>();
    private final ArrayDeque<Over> over = new ArrayDeque<>();
    private final DealtRate rate = new DealtRate();
    private int turn;
    private boolean dealing;

    /** The requests of one client. */
    final class Queue {
        private final Ending ending;
        private final ArrayDeque<Job> jobs = new ArrayDeque<>();
        /** Everything that has not ended: what waits in {@link #jobs}, and what is under way. */
        private final Set<Job> all = new HashSet<>();

        private long inFlight;
        private int unfinished;
        private long activeAt = System.nanoTime() - ACTIVE_NANOS;
        private boolean going;

        private Queue(Ending ending) {
            this.ending = ending;
        }

        void add(Job job) {
            locked(() -> {
                unfinished++;
                all.add(job);
                activeAt = System.nanoTime();
                if (going) {
                    job.fail(new ClientException(Status.CANCELLED, "the client is going"));
                }
                if (job.isOver()) {
                    over.add(new Over(this, job));
                } else {
                    jobs.add(job);
                }
            });
        }

        /** Ends a request, wherever it is on its way. Nothing happens where it has ended. */
        void cancel(long number) {
            locked(() -> List.copyOf(all).stream()
                    .filter(j -> j.number() == number)
                    .forEach(j -> end(j, new ClientException(Status.CANCELLED, "cancelled"))));
        }

        private void end(Job job, Throwable why) {
            boolean waited = jobs.remove(job);
            boolean ended = job.isOver();
            job.cancel(why);
            if (!ended && waited && job.isOver()) {
                over.add(new Over(this, job));
            }
        }

        private void fail(Job job, Throwable why) {
            job.fail(why);
            if (job.isOver()) {
                over.add(new Over(this, job));
            }
        }

        /** Ends everything, and waits for what is under way. @return false when something still is after so long */
        boolean drain(long atMostNanos) {
            locked(() -> {
                going = true;
                List.copyOf(all).forEach(j -> end(j, new ClientException(Status.CANCELLED, "the client is going")));
            });
            lock.lock();
            try {
                long left = atMostNanos;
                while (unfinished > 0 && left > 0) {
                    left = drained.awaitNanos(left);
                }
                return unfinished == 0;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            } finally {
                lock.unlock();
            }
        }

        /** After {@link #drain}. */
        void close() {
            locked(() -> queues.remove(this));
        }

        private void sliceEnded(Job job, Transfer transfer, long bytes, @Nullable Throwable failure) {
            locked(() -> {
                inFlight -= bytes;
                activeAt = System.nanoTime();
                rate.moved(bytes, activeAt);
                if (job.ended(transfer, failure)) {
                    if (!jobs.contains(job)) {
                        jobs.add(job);
                    }
                } else if (failure != null && job.failure() == null) {
                    jobs.remove(job);
                    job.fail(failure);
                }
                if (job.isOver()) {
                    over.add(new Over(this, job));
                }
            });
        }

        private boolean isActive(long now) {
            return inFlight > 0 || !jobs.isEmpty() || now - activeAt < ACTIVE_NANOS;
        }

        /** Begins slices until this client has its share under way, or has had a slice's worth of bytes. @return bytes begun */
        private long deal(long share, long slice, long now) {
            long begun = 0;
            while (!jobs.isEmpty() && begun < slice && inFlight < share) {
                Job job = jobs.remove();
                if (job.isLate(now)) {
                    fail(job, new ClientException(Status.DEADLINE, "its deadline passed before it was its turn"));
                    continue;
                }
                long bytes = job.next(slice);
                if (!begin(job, bytes)) {
                    continue;
                }
                begun += bytes;
                // its transfer may have ended in this very call, refused, and have put it back already
                if (job.hasMore() && !jobs.contains(job)) {
                    jobs.add(job);
                }
            }
            return begun;
        }

        private boolean begin(Job job, long bytes) {
            try {
                Transfer transfer = job.begin(bytes);
                inFlight += bytes;
                transfer.future().whenComplete((t, why) -> sliceEnded(job, transfer, bytes, cause(why)));
                return true;
            } catch (RuntimeException e) {
                fail(job, e);
                return false;
            }
        }
    }

    private static @Nullable Throwable cause(@Nullable Throwable why) {
        return why instanceof CompletionException && why.getCause() != null ? why.getCause() : why;
    }

    Queue open(Ending ending) {
        Queue queue = new Queue(ending);
        locked(() -> queues.add(queue));
        return queue;
    }

    /** Changes something, deals what has become possible, and tells what is over without the lock. */
    private void locked(Runnable change) {
        lock.lock();
        try {
            change.run();
            if (!dealing) {
                dealing = true; // a transfer may end while it is begun, and come here again
                try {
                    deal();
                } finally {
                    dealing = false;
                }
            }
        } finally {
            lock.unlock();
        }
        if (!lock.isHeldByCurrentThread()) {
            tell();
        }
    }

    private void deal() {
        long now = System.nanoTime();
        int active = 0;
        for (Queue queue : queues) {
            active += queue.isActive(now) ? 1 : 0;
        }
        long share = active < 2
                ? Math.clamp(rate.in(ALONE_NANOS), ALONE, MOST_ALONE)
                : Math.max(LEAST_SHARE, Math.clamp(rate.in(TOGETHER_NANOS), TOGETHER, MOST_TOGETHER) / active);
        long slice = Math.clamp(share / 2, LEAST_SLICE, MOST_SLICE);
        int without = 0;
        while (without < queues.size()) {
            turn = (turn + 1) % queues.size();
            without = queues.get(turn).deal(share, slice, now) > 0 ? 0 : without + 1;
        }
    }

    private void tell() {
        while (true) {
            Over next;
            lock.lock();
            try {
                next = over.poll();
            } finally {
                lock.unlock();
            }
            if (next == null) {
                return;
            }
            try {
                next.queue().ending.ended(next.job(), next.job().failure());
            } finally {
                lock.lock();
                try {
                    next.queue().all.remove(next.job());
                    if (--next.queue().unfinished == 0) {
                        drained.signalAll();
                    }
                } finally {
                    lock.unlock();
                }
            }
        }
    }
}
