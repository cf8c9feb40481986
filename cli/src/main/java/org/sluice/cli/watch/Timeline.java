package org.sluice.cli.watch;

import java.util.ArrayList;
import java.util.List;

/**
 * Readings over time, in bounded memory however long it lasts: when it is full every other one goes, and from then on only every
 * other one stays. The first and the newest are always there. Not thread-safe.
 */
final class Timeline {
    static final int CAPACITY = 600;

    private final List<Reading> kept = new ArrayList<>();
    private int stride = 1;
    private int sinceKept;
    private boolean lastStays;

    /** Adds the newest. */
    void add(Reading reading) {
        if (!lastStays && !kept.isEmpty()) {
            kept.removeLast();
        }
        kept.add(reading);
        lastStays = sinceKept == 0;
        sinceKept = (sinceKept + 1) % stride;
        if (lastStays && kept.size() == CAPACITY - 1) {
            for (int i = kept.size() - 2; i > 0; i -= 2) {
                kept.remove(i);
            }
            stride *= 2;
            sinceKept = 1;
            lastStays = true;
        }
    }

    List<Reading> readings() {
        return List.copyOf(kept);
    }
}
