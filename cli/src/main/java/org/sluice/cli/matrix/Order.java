package org.sluice.cli.matrix;

import java.util.List;

/**
 * What all ranks do next, as rank 0 says it.
 *
 * @param pairs of a round
 * @param status the exit status, at the end
 * @param text what rank 0 found, at the end, in a line
 */
record Order(Kind kind, List<Pairing> pairs, int status, String text) {
    enum Kind {
        /** The pairs measure each other. */
        ROUND,
        /** All make links to all. */
        LINK_ALL,
        /** All read from all. */
        LOAD_ALL,
        END
    }

    Order {
        pairs = List.copyOf(pairs);
    }

    static Order round(List<Pairing> pairs) {
        return new Order(Kind.ROUND, pairs, 0, "");
    }

    static Order of(Kind kind) {
        return new Order(kind, List.of(), 0, "");
    }

    static Order end(int status, String text) {
        return new Order(Kind.END, List.of(), status, text);
    }
}
