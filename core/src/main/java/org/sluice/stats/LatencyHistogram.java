package org.sluice.stats;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.sluice.Buckets;
import org.sluice.Latencies;

/**
 * Counts durations in {@link Buckets}. Only the powers of two that have come up have memory, 256 bytes each: a node has thousands of
 * channels, and those of one take a few. One thread records, which allocates nothing but the first time in a power; any thread takes
 * a {@link #snapshot}, which may lack what is being recorded.
 */
public final class LatencyHistogram {
    private static final VarHandle COUNTS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle SUM = field("sum");
    private static final VarHandle MAX = field("max");

    private static final VarHandle POWERS = MethodHandles.arrayElementVarHandle(long[][].class);

    private final long[] @Nullable [] powers = new long[Buckets.COUNT / Buckets.OF_A_POWER][];
    private long sum;
    private long max;

    private static VarHandle field(String name) {
        try {
            return MethodHandles.lookup().findVarHandle(LatencyHistogram.class, name, long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Counts one duration. The writing thread only. */
    public void record(long nanos) {
        int bucket = Buckets.of(nanos);
        long[] counts = powers[bucket / Buckets.OF_A_POWER];
        if (counts == null) {
            counts = new long[Buckets.OF_A_POWER];
            POWERS.setRelease(powers, bucket / Buckets.OF_A_POWER, counts);
        }
        int place = bucket % Buckets.OF_A_POWER;
        COUNTS.setRelease(counts, place, counts[place] + 1);
        SUM.setRelease(this, sum + Math.max(0, nanos));
        if (nanos > max) {
            MAX.setRelease(this, nanos);
        }
    }

    /** What has been counted until now. */
    public Latencies snapshot() {
        long[] copy = new long[Buckets.COUNT];
        for (int p = 0; p < powers.length; p++) {
            long[] counts = (long[]) POWERS.getAcquire(powers, p);
            for (int place = 0; counts != null && place < Buckets.OF_A_POWER; place++) {
                copy[p * Buckets.OF_A_POWER + place] = (long) COUNTS.getAcquire(counts, place);
            }
        }
        return Latencies.of(copy, (long) SUM.getAcquire(this), (long) MAX.getAcquire(this));
    }
}
