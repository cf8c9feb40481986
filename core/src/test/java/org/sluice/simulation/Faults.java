package org.sluice.simulation;

import java.util.Random;

/**
 * How bad a wire is.
 *
 * @param refusing percent of posts that are refused for now
 * @param damaging percent of chunks that arrive damaged
 */
record Faults(int refusing, int damaging) {
    boolean refuses(Random random) {
        return random.nextInt(100) < refusing;
    }

    boolean damages(Random random) {
        return random.nextInt(100) < damaging;
    }
}
