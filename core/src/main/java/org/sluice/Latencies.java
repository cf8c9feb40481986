package org.sluice;

/**
 * How long things took: counts in log-linear buckets, whose width is at most a 32nd of the duration. Immutable; snapshots of
 * several channels can be added. Times are nanoseconds.
 */
public final class Latencies {
    /** Nothing was counted. */
    public static final Latencies NONE = new Latencies(new long[Buckets.COUNT], 0, 0);

    private final long[] counts;
    private final long count;
    private final long sum;
    private final long max;

    private Latencies(long[] counts, long sum, long max) {
        this.counts = counts;
        this.sum = sum;
        this.max = max;
        long all = 0;
        for (long c : counts) {
            all += c;
        }
        this.count = all;
    }

    /** From the engine's counters. @param counts one a bucket; copied */
    public static Latencies of(long[] counts, long sum, long max) {
        if (counts.length != Buckets.COUNT) {
            throw new IllegalArgumentException(counts.length + " counts for " + Buckets.COUNT + " buckets");
        }
        return new Latencies(counts.clone(), sum, max);
    }

    /** How many were counted. */
    public long count() {
        return count;
    }

    /** The longest, exactly; 0 if there was none. */
    public long max() {
        return max;
    }

    /** All of them together. */
    public long sum() {
        return sum;
    }

    /** 0 if there was none. */
    public double mean() {
        return count == 0 ? 0 : (double) sum / count;
    }

    /**
     * The shortest duration that this share of all did not exceed, at most a 32nd too long; 0 if there was none.
     *
     * @param share from 0 to 1: 0.5 for the median, 0.99 for p99
     */
    public long quantile(double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("a share is from 0 to 1, not " + share);
        }
        long rank = Math.max(1, (long) Math.ceil(share * count));
        long below = 0;
        for (int b = 0; b < counts.length; b++) {
            below += counts[b];
            if (below >= rank) {
                // the last bucket also holds what is too long for it
                return b == counts.length - 1 ? max : Math.min(Buckets.longest(b), max);
            }
        }
        return 0;
    }

    /** How many took at most so long, to the width of a bucket. */
    public long atMost(long nanos) {
        long sumOfCounts = 0;
        for (int b = 0; b < counts.length && Buckets.longest(b) <= nanos; b++) {
            sumOfCounts += counts[b];
        }
        return sumOfCounts;
    }

    /** Both together. */
    public Latencies plus(Latencies other) {
        long[] both = counts.clone();
        for (int b = 0; b < both.length; b++) {
            both[b] += other.counts[b];
        }
        return new Latencies(both, sum + other.sum, Math.max(max, other.max));
    }

    @Override
    public String toString() {
        return count + " counted, mean " + Math.round(mean()) + " ns, max " + max + " ns";
    }
}
