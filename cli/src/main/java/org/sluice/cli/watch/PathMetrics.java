package org.sluice.cli.watch;

import org.sluice.Node;
import org.sluice.PathTaken;

/** Which way a node's bytes go, for Prometheus: an alarm on fewer NICs, or on another transport, is a line. */
public final class PathMetrics {
    private PathMetrics() {}

    /** Of the links that there are now. */
    public static String of(Node node) {
        return of(node.path(), node.isBelowLeastRate());
    }

    static String of(PathTaken path, boolean below) {
        String labels = "{transport=\"" + path.transport() + "\",memory=\"" + path.memory() + "\"} ";
        return "# HELP sluice_path_nics NICs that links use\n# TYPE sluice_path_nics gauge\nsluice_path_nics" + labels
                + path.nics().size()
                + "\n# HELP sluice_path_nics_there NICs that the transport has\n# TYPE sluice_path_nics_there gauge\n"
                + "sluice_path_nics_there" + labels + path.nicsThere().size()
                + "\n# HELP sluice_below_min_rate Whether the rate is below --min-rate\n"
                + "# TYPE sluice_below_min_rate gauge\nsluice_below_min_rate " + (below ? 1 : 0) + "\n";
    }
}
