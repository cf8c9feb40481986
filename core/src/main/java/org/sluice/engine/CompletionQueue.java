package org.sluice.engine;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.sluice.Completions;
import org.sluice.SluiceException;

/** The ends of a link's transfers on their way from the agent to the program that polls them. Any thread; allocates where it grows. */
final class CompletionQueue {
    private long[] tokens = new long[64];
    private long[] startedAt = new long[64];
    private long[] endedAt = new long[64];
    private @Nullable SluiceException[] failures = new SluiceException[64];
    private int head;
    private volatile int size;
    private int waiting;
    /** Transfers that were posted and have not ended. */
    private int underWay;

    private @Nullable SluiceException abandoned;

    /** So many transfers are posted, of which each will be added. */
    synchronized void expect(int transfers) {
        underWay += transfers;
    }

    /** Whether a transfer that was posted has not ended. */
    synchronized boolean isExpecting() {
        return underWay > 0 && abandoned == null;
    }

    synchronized void add(long token, long began, long ended, @Nullable SluiceException failure) {
        underWay--;
        int n = size;
        if (n == tokens.length) {
            grow();
        }
        int slot = (head + n) & (tokens.length - 1);
        tokens[slot] = token;
        startedAt[slot] = began;
        endedAt[slot] = ended;
        failures[slot] = failure;
        size = n + 1;
        if (waiting > 0) {
            notify();
        }
    }

    private void grow() {
        int n = tokens.length;
        tokens = straight(tokens);
        startedAt = straight(startedAt);
        endedAt = straight(endedAt);
        SluiceException[] more = new SluiceException[2 * n];
        for (int i = 0; i < n; i++) {
            more[i] = failures[(head + i) & (n - 1)];
        }
        failures = more;
        head = 0;
    }

    /** The ring in twice the room, from its head on. */
    private long[] straight(long[] ring) {
        long[] more = new long[2 * ring.length];
        System.arraycopy(ring, head, more, 0, ring.length - head);
        System.arraycopy(ring, 0, more, ring.length - head, head);
        return more;
    }

    /** Nobody will add any more. */
    synchronized void abandon(SluiceException why) {
        abandoned = why;
        notifyAll();
    }

    /** @throws SluiceException where nothing is there and nothing will come */
    int poll(Completions into) {
        into.clear();
        // looked at first without the lock: who asks again and again must not hold up the agent
        return size == 0 && abandoned == null ? 0 : take(into);
    }

    private synchronized int take(Completions into) {
        int n = size;
        SluiceException why = abandoned;
        if (n == 0 && why != null) {
            throw why;
        }
        int mask = tokens.length - 1;
        int taken = 0;
        for (; taken < n && into.add(tokens[head], startedAt[head], endedAt[head], failures[head]); taken++) {
            failures[head] = null;
            head = (head + 1) & mask;
        }
        size = n - taken;
        return taken;
    }

    /** As {@link #poll(Completions)}, and waits until there is one. @return 0 where there was none in time */
    synchronized int poll(Completions into, Duration atMost) throws InterruptedException {
        into.clear();
        long end = System.nanoTime() + atMost.toNanos();
        while (size == 0 && abandoned == null) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                return 0;
            }
            waiting++;
            try {
                TimeUnit.NANOSECONDS.timedWait(this, Math.max(left, TimeUnit.MILLISECONDS.toNanos(1)));
            } finally {
                waiting--;
            }
        }
        return take(into);
    }

    @Override
    public synchronized String toString() {
        return size + " completions of " + Arrays.toString(tokens);
    }
}
