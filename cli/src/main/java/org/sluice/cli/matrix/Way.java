package org.sluice.cli.matrix;

import java.util.ArrayList;
import java.util.List;

/**
 * One direction between two nodes, as it was measured.
 *
 * @param from who sends, {@code to} who receives, by rank
 * @param failure why there is no figure; empty where there is one
 * @param gbPerSecond 10^9 bytes a second that landed
 * @param verified bytes compared at the receiver, {@code wrong} of them in pages that differed
 * @param p50Micros of writing 8 bytes from {@code from} to {@code to} and hearing that they have landed
 */
record Way(
        int from,
        int to,
        String failure,
        double gbPerSecond,
        double p50Micros,
        double p99Micros,
        long verified,
        long wrong,
        List<Rail> rails) {
    Way {
        rails = List.copyOf(rails);
    }

    /** The share of segments that were sent again. */
    double loss() {
        long segments = rails.stream().mapToLong(Rail::segments).sum();
        return segments == 0
                ? 0
                : (double) rails.stream().mapToLong(Rail::retransmitted).sum() / segments;
    }

    /** Of two sights of a pair, the receiver's bytes and the sender's kernel's counts. */
    static Way of(int from, int to, Sight sender, Sight receiver) {
        String failure = receiver.failure().isEmpty() ? sender.failure() : receiver.failure();
        if (!failure.isEmpty()) {
            return new Way(from, to, failure, 0, 0, 0, 0, 0, List.of());
        }
        List<Rail> rails = new ArrayList<>();
        for (Flow in : receiver.flows()) {
            long segments = 0;
            long again = 0;
            for (Flow out : sender.flows()) {
                if (out.nic().equals(in.peerNic()) && out.peerNic().equals(in.nic())) {
                    segments += out.segments();
                    again += out.retransmitted();
                }
            }
            rails.add(new Rail(in.peerNic(), in.nic(), in.bytes() / receiver.seconds() / 1e9, segments, again));
        }
        double all = rails.stream().mapToDouble(Rail::gbPerSecond).sum();
        return new Way(
                from,
                to,
                "",
                all,
                sender.p50Micros(),
                sender.p99Micros(),
                receiver.verified(),
                receiver.wrong(),
                rails);
    }

    /** This, measured again. */
    Way again(Way other) {
        if (!failure.isEmpty() || !other.failure.isEmpty()) {
            return failure.isEmpty() ? this : other;
        }
        List<Rail> better = new ArrayList<>();
        for (Rail r : rails) {
            better.add(other.rails.stream()
                    .filter(o -> o.nic().equals(r.nic()) && o.peerNic().equals(r.peerNic()))
                    .findFirst()
                    .map(r::orBetter)
                    .orElse(r));
        }
        other.rails.stream()
                .filter(o -> rails.stream()
                        .noneMatch(r -> r.nic().equals(o.nic()) && r.peerNic().equals(o.peerNic())))
                .forEach(better::add);
        return new Way(
                from,
                to,
                "",
                Math.max(gbPerSecond, other.gbPerSecond),
                Math.min(p50Micros, other.p50Micros),
                Math.min(p99Micros, other.p99Micros),
                verified + other.verified,
                wrong + other.wrong,
                better);
    }
}
