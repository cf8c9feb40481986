package org.sluice.cli.matrix;

import java.util.Arrays;

/** Statistics that a few odd values do not move: as long as fewer than half are odd, the rest decides. */
final class Robust {
    /** Of a normal distribution, the standard deviation is so many median deviations. */
    private static final double SIGMA = 1.4826;

    private Robust() {}

    /** The lower one of the two in the middle, where there are two; 0 of none. */
    static double median(double[] values) {
        return values.length == 0 ? 0 : sorted(values)[(values.length - 1) / 2];
    }

    /** The upper one of the two in the middle, where there are two; 0 of none. */
    static double upperMedian(double[] values) {
        return values.length == 0 ? 0 : sorted(values)[values.length / 2];
    }

    /** The value that this share of them does not exceed; 0 of none. @param share 0 to 1 */
    static double quantile(double[] values, double share) {
        return values.length == 0 ? 0 : sorted(values)[Math.min(values.length - 1, (int) (share * values.length))];
    }

    /** What stands for the standard deviation: from the median of the distances to the median. */
    static double sigma(double[] values) {
        double middle = median(values);
        return SIGMA
                * upperMedian(
                        Arrays.stream(values).map(v -> Math.abs(v - middle)).toArray());
    }

    private static double[] sorted(double[] values) {
        double[] copy = values.clone();
        Arrays.sort(copy);
        return copy;
    }
}
