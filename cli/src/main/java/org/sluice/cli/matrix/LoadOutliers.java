package org.sluice.cli.matrix;

import java.util.ArrayList;
import java.util.List;

/** Nodes that carry less than the others while all pairs are loaded at once, though they look fine pair by pair. */
final class LoadOutliers {
    private static final double FAR = 6;
    private static final double LEAST = 0.3;
    private static final double MOST = 0.5;

    private LoadOutliers() {}

    /** @param known what was found pair by pair: such a node is slow now too, and has been named */
    static List<Finding> of(List<String> names, MatrixReport.Load load, List<Finding> known) {
        double[] rates = load.nodes().stream()
                .mapToDouble(n -> n.sendsGbPerSecond() + n.receivesGbPerSecond())
                .toArray();
        double usual = Robust.upperMedian(rates);
        List<Finding> found = new ArrayList<>();
        if (rates.length < 3 || usual <= 0) {
            return found;
        }
        double limit = 1 - Math.clamp(FAR * Robust.sigma(rates) / usual, LEAST, MOST);
        for (int r = 0; r < rates.length; r++) {
            int rank = r;
            double share = rates[r] / usual;
            if (share < limit && known.stream().noneMatch(f -> f.rank() == rank)) {
                found.add(new Finding(
                        Finding.What.NODE,
                        r,
                        null,
                        null,
                        null,
                        "both",
                        share,
                        0,
                        0,
                        Phrases.node(names, r) + ": carries " + Phrases.percent(share)
                                + " of what is usual while all pairs are loaded, and is fine pair by pair"));
            }
        }
        return found;
    }
}
