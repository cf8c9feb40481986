package org.sluice.cli.bench;

import java.util.Arrays;

/**
 * One line of a benchmark, in the columns that NCCL's tests made usual.
 *
 * @param size bytes of a transfer
 * @param count transfers that were timed
 * @param micros mean time of a transfer
 * @param algbw GB/s: size over time
 * @param busbw GB/s on the wire: for one pair in one direction the same
 * @param p50 microseconds from a transfer's call until its end was known to the sender; {@code p99} and {@code p999} likewise
 * @param beginP50 microseconds from its call until its first chunk was on its way; {@code beginP99} likewise
 * @param wrong bytes, in 4 KiB pages, that were not what was sent
 */
record BenchPoint(
        long size,
        int channels,
        long chunk,
        int window,
        long count,
        double micros,
        double algbw,
        double busbw,
        double p50,
        double p99,
        double p999,
        double beginP50,
        double beginP99,
        long wrong) {

    /** @param nanos the time of each transfer @param beginNanos until its first chunk was on its way @param took all of them, which may overlap */
    static BenchPoint of(long size, BenchSetting with, long[] nanos, long[] beginNanos, long took, long wrong) {
        long[] sorted = nanos.clone();
        Arrays.sort(sorted);
        long[] begins = beginNanos.clone();
        Arrays.sort(begins);
        double gbPerSecond = (double) size * nanos.length / took;
        return new BenchPoint(
                size,
                with.channels(),
                with.chunk(),
                with.window(),
                nanos.length,
                took / 1e3 / nanos.length,
                gbPerSecond,
                gbPerSecond,
                quantile(sorted, 0.5),
                quantile(sorted, 0.99),
                quantile(sorted, 0.999),
                quantile(begins, 0.5),
                quantile(begins, 0.99),
                wrong);
    }

    /** The least time that at least this part of the transfers did not exceed, in microseconds. */
    private static double quantile(long[] sorted, double part) {
        return sorted[(int) Math.ceil(part * sorted.length) - 1] / 1e3;
    }
}
