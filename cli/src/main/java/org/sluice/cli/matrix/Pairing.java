package org.sluice.cli.matrix;

/** Two ranks that measure each other in a round; the lower one makes the link and begins. */
record Pairing(int low, int high) {
    Pairing {
        if (low >= high) {
            throw new IllegalArgumentException(low + " is not below " + high);
        }
    }

    static Pairing of(int a, int b) {
        return new Pairing(Math.min(a, b), Math.max(a, b));
    }

    boolean has(int rank) {
        return rank == low || rank == high;
    }

    int partnerOf(int rank) {
        return rank == low ? high : low;
    }
}
