package org.sluice.cli.matrix;

import java.util.List;
import java.util.Locale;

/** Findings in words. @param names of the nodes, by rank @param usualLoss share of segments sent again that is usual */
record Phrases(List<String> names, double usualLoss) {
    /**
     * What is bad about a place.
     *
     * @param direction {@code sends}, {@code receives} or {@code both}
     * @param slow by what share of the usual rate it is below it; 0 where that is not it
     * @param loss share of segments sent again; 0 where that is not it
     */
    record Seen(String direction, double slow, double loss) {}

    static String node(List<String> names, int rank) {
        return "rank " + rank + " (" + names.get(rank) + ")";
    }

    /** @param nic empty for the whole node or all NICs of a path @param peer -1 where it is no path */
    Finding finding(int rank, String nic, int peer, String peerNic, Seen seen) {
        boolean path = peer >= 0;
        boolean whole = nic.isEmpty();
        Finding.What what = path ? Finding.What.PATH : whole ? Finding.What.NODE : Finding.What.NIC;
        String place = path
                ? "the path " + (seen.direction().equals("both") ? "between " : "from ") + node(names, rank)
                        + (whole ? "" : " " + nic) + (seen.direction().equals("both") ? " and " : " to ")
                        + node(names, peer) + (whole ? ", all NICs" : " " + peerNic)
                : whole ? node(names, rank) + ", all its NICs" : "NIC " + nic + " of " + node(names, rank);
        String does = switch (seen.direction()) {
            case "sends" -> path ? "carries" : "sends";
            case "receives" -> "receives";
            default -> path ? "carries" : "sends and receives";
        };
        String text = place + ": "
                + (seen.slow() > 0 ? does + " at " + percent(1 - seen.slow()) + " of the usual rate" : "")
                + (seen.slow() > 0 && seen.loss() > 0 ? "; " : "")
                + (seen.loss() > 0
                        ? percent(seen.loss()) + " of the segments " + (seen.slow() > 0 ? "" : lossOf(seen, path))
                                + "are sent again, usual is " + percent(usualLoss)
                        : "");
        return new Finding(
                what,
                rank,
                whole ? null : nic,
                path ? peer : null,
                path && !whole ? peerNic : null,
                seen.direction(),
                1 - seen.slow(),
                seen.loss(),
                usualLoss,
                text);
    }

    private static String lossOf(Seen seen, boolean path) {
        return path
                ? ""
                : switch (seen.direction()) {
                    case "sends" -> "that it sends ";
                    case "receives" -> "that it is sent ";
                    default -> "that it sends and is sent ";
                };
    }

    static String percent(double share) {
        double p = 100 * share;
        return String.format(Locale.ROOT, p >= 10 || p == 0 ? "%.0f %%" : p >= 0.1 ? "%.1f %%" : "%.3f %%", p);
    }
}
