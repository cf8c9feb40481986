package org.sluice.cli.matrix;

/**
 * One direction between two NICs, as it was measured.
 *
 * @param nic of the node that sends, {@code peerNic} of the one that receives
 * @param gbPerSecond 10^9 bytes a second
 * @param segments sent by the kernel, {@code retransmitted} of them again
 */
record Rail(String nic, String peerNic, double gbPerSecond, long segments, long retransmitted) {
    /** Below this many segments a lost one says little. */
    private static final long ENOUGH = 200;

    /** The share of segments that were sent again. */
    double loss() {
        return segments < ENOUGH ? 0 : (double) retransmitted / segments;
    }

    /** The better of two measurements: what a path can do counts, not what disturbed it once. */
    Rail orBetter(Rail other) {
        Rail calm = loss() <= other.loss() ? this : other;
        return new Rail(nic, peerNic, Math.max(gbPerSecond, other.gbPerSecond), calm.segments, calm.retransmitted);
    }
}
