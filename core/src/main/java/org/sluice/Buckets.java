package org.sluice;

/**
 * Log-linear buckets for durations: exact to 32 ns, then 32 buckets for each power of two, so that a bucket is never wider than a
 * 32nd of what it holds. The last one ends at {@value #LIMIT} ns, a bit over two minutes; what is longer is counted there.
 */
public final class Buckets {
    /** Buckets of one power of two, as a shift. */
    private static final int LINEAR_BITS = 5;

    private static final int LINEAR = 1 << LINEAR_BITS;

    /** Buckets of one power of two; the bucket of a duration, divided by it, is the same for all of a power. */
    public static final int OF_A_POWER = LINEAR;

    /** Powers of two that are told apart. */
    private static final int POWERS = 37;

    /** First duration that is too long for the buckets, nanoseconds. */
    public static final long LIMIT = 1L << POWERS;

    /** How many there are. */
    public static final int COUNT = (POWERS - LINEAR_BITS + 1) * LINEAR;

    private Buckets() {}

    /** The bucket of a duration; what is negative counts as 0. */
    public static int of(long nanos) {
        long v = Math.clamp(nanos, 0, LIMIT - 1);
        if (v < LINEAR) {
            return (int) v;
        }
        int power = Long.SIZE - 1 - Long.numberOfLeadingZeros(v);
        int shift = power - LINEAR_BITS;
        return (shift << LINEAR_BITS) + (int) (v >>> shift);
    }

    /** The longest duration that a bucket holds, nanoseconds. */
    public static long longest(int bucket) {
        if (bucket < LINEAR) {
            return bucket;
        }
        int shift = (bucket >> LINEAR_BITS) - 1;
        long first = (long) (bucket - (shift << LINEAR_BITS)) << shift;
        return first + (1L << shift) - 1;
    }
}
