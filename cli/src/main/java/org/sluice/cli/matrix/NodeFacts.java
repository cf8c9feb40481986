package org.sluice.cli.matrix;

import java.util.List;

/**
 * A node of the matrix, as it describes itself.
 *
 * @param name what its machine is called
 * @param backend {@code host} or {@code cuda}
 * @param gpu the model of its first GPU
 */
record NodeFacts(String name, String backend, String gpu, int gpus, List<String> nics) {
    NodeFacts {
        nics = List.copyOf(nics);
    }
}
