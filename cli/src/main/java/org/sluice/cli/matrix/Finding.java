package org.sluice.cli.matrix;

import org.jspecify.annotations.Nullable;

/**
 * What stands out, and how.
 *
 * @param rank of the node
 * @param nic null where the whole node is meant
 * @param peer the other node of a path; null where a node or a NIC is meant
 * @param direction {@code sends}, {@code receives} or {@code both}; for a path {@code sends}, from {@code rank} to {@code peer}
 * @param share of the usual rate, 1 where the rate is as usual
 * @param loss share of segments sent again, and {@code usualLoss} what is usual
 * @param text for people
 */
record Finding(
        What what,
        int rank,
        @Nullable String nic,
        @Nullable Integer peer,
        @Nullable String peerNic,
        String direction,
        double share,
        double loss,
        double usualLoss,
        String text) {
    /** @param peer null where the node is not linked with most others */
    static Finding unlinked(int rank, @Nullable Integer peer, String text) {
        return new Finding(What.NO_LINK, rank, null, peer, null, "both", 0, 0, 0, text);
    }

    enum What {
        NODE,
        NIC,
        PATH,
        NO_LINK
    }
}
