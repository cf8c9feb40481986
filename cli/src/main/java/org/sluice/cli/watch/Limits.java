package org.sluice.cli.watch;

/**
 * What a run that is to show what a pair of machines can do must come to.
 *
 * @param expectedGbPerSecond payload of all NICs together, 0 for the usual share of their speed
 * @param cpuSecondsPerGb the most CPU of the threads that move bytes
 */
public record Limits(double expectedGbPerSecond, double cpuSecondsPerGb) {
    /** A core that moves less than 1 GB/s is worth a look. */
    public static final double USUAL_CPU_SECONDS_PER_GB = 1;
}
