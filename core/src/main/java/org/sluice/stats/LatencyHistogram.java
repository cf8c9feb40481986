package org.sluice.stats;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.sluice.Buckets;
import org.sluice.Latencies;

/**
 * Counts durations in {@link Buckets}: 8 KiB, made once. One thread records, which allocates nothing; any thread takes a {@link
 * #snapshot}, which may lack what is being recorded.
 */
public final class LatencyHistogram {
    private static final VarHandle COUNTS = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle SUM = field("sum");
    private static final VarHandle MAX = field("max");

    private final long[] counts = new long[Buckets.COUNT];
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
        COUNTS.setRelease(counts, bucket, counts[bucket] + 1);
        SUM.setRelease(this, sum + Math.max(0, nanos));
        if (nanos > max) {
            MAX.setRelease(this, nanos);
        }
    }

    /** What has been counted until now. */
    public Latencies snapshot() {
        long[] copy = new long[counts.length];
        for (int b = 0; b < copy.length; b++) {
            copy[b] = (long) COUNTS.getAcquire(counts, b);
        }
        return Latencies.of(copy, (long) SUM.getAcquire(this), (long) MAX.getAcquire(this));
    }
}
