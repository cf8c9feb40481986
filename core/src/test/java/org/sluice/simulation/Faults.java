package org.sluice.simulation;

import java.util.Random;

/**
 * How bad a wire is.
 *
 * @param refusing percent of posts that are refused for now
 * @param damaging percent of chunks that arrive damaged
 * @param lies whether somebody is told what its peer never said: then chunks may come that nobody asked for
 */
record Faults(int refusing, int damaging, boolean lies) {
    boolean refuses(Random random) {
        return random.nextInt(100) < refusing;
    }

    boolean damages(Random random) {
        return random.nextInt(100) < damaging;
    }
}
