package org.sluice.cli.matrix;

import java.util.List;
import org.sluice.ProtocolException;

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
        ROUND(0),
        /** All make links to all. */
        LINK_ALL(1),
        /** All read from all. */
        LOAD_ALL(2),
        END(3);

        /** As it is said. */
        final int number;

        Kind(int number) {
            this.number = number;
        }

        static Kind of(int number) {
            for (Kind k : values()) {
                if (k.number == number) {
                    return k;
                }
            }
            throw new ProtocolException("order " + number + " is none that a rank is given");
        }
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
