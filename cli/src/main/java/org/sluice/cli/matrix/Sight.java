package org.sluice.cli.matrix;

import java.util.List;

/**
 * What a rank has seen of a partner: what it read from it, and what it sent.
 *
 * @param failure why it came to nothing; empty when it did not
 * @param seconds that were measured
 * @param verified bytes of this rank's memory that were compared, {@code wrong} of them in pages that differed
 * @param p50Micros of writing 8 bytes and hearing that they have landed, before the load
 */
record Sight(
        int partner,
        String failure,
        double seconds,
        long verified,
        long wrong,
        double p50Micros,
        double p99Micros,
        List<Flow> flows) {
    Sight {
        flows = List.copyOf(flows);
    }

    static Sight failed(int partner, String why) {
        return new Sight(partner, why.isEmpty() ? "no reason given" : why, 0, 0, 0, 0, 0, List.of());
    }
}
