package org.sluice.cli.watch;

/**
 * What a run must come to in order to pass.
 *
 * @param expectedGbPerSecond payload of all NICs together, 0 for a share of their speed
 * @param shareOfSpeed of the NICs' speed that payload must reach, 0 to 1, where nothing else is expected
 * @param cpuSecondsPerGb the most CPU of the threads that move bytes
 * @param unevenness how far a NIC may be from its fair share, as a part of it
 * @param retransmitShare the most segments sent again, of all segments
 */
public record Limits(
        double expectedGbPerSecond,
        double shareOfSpeed,
        double cpuSecondsPerGb,
        double unevenness,
        double retransmitShare) {
    /**
     * UCCL's engine on the same machines left 28 % of the line unused; 80 % is asked for. A core that moves less than 1 GB/s, and a
     * NIC with a quarter less or more than its share, are worth a look. TCP lives with one segment in a hundred lost, not more.
     */
    public static final Limits USUAL = new Limits(0, 0.8, 1, 0.25, 0.01);
}
