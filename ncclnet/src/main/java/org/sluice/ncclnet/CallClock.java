package org.sluice.ncclnet;

import org.sluice.spi.CpuWaits;

/**
 * Whether a plugin's call has taken too long. Time in which this process got no CPU is none of the plugin's: neither that in which the
 * waiting thread could not look, nor that in which another, the one in the call perhaps, waited for its turn. Not thread-safe.
 */
final class CallClock {
    /** A call that has not come back by then is worth a look at all threads. */
    private static final long SLOW_NANOS = 100_000_000;

    /** Who waits looks every 50 ms at the least: a look that is later was kept from coming. */
    private static final long LATE_NANOS = 200_000_000;

    /** A call is not waited for beyond its limit for longer than this, however little CPU there is. */
    private static final long MOST_MORE_NANOS = 10_000_000_000L;

    private final long limit;
    private final CpuWaits waits;
    private final long begunAt;
    private long lookedAt;
    private long unseen;
    private boolean sampled;

    /** @param limit nanoseconds @param now {@link System#nanoTime} */
    CallClock(long limit, long now) {
        this(limit, now, CpuWaits.ofProcess());
    }

    CallClock(long limit, long now, CpuWaits waits) {
        this.limit = limit;
        this.waits = waits;
        this.begunAt = now;
        this.lookedAt = now;
    }

    /** Looks at a call that has not come back. */
    boolean isOver(long now) {
        long sinceLook = now - lookedAt;
        lookedAt = now;
        if (sinceLook > LATE_NANOS) {
            unseen += sinceLook;
        }
        long taken = now - begunAt;
        if (taken < Math.min(limit, SLOW_NANOS)) {
            return false;
        }
        if (!sampled) {
            sampled = true;
            waits.begin();
        }
        if (taken < limit) {
            return false;
        }
        // the files of all threads are read only when it matters
        return taken >= limit + MOST_MORE_NANOS || taken >= limit + Math.max(unseen, waits.longest());
    }
}
