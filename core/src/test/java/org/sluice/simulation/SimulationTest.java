package org.sluice.simulation;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The data plane over wires that misbehave: whatever the order of things, bytes arrive or failures are told. */
final class SimulationTest {
    /** More with {@code -Dsimulation.seeds=N}; one alone with {@code -Dsimulation.seed=S}. */
    private static final int SEEDS = Integer.getInteger("simulation.seeds", 500);

    @Test
    @DisplayName("every transfer of every seed ends, and ends right")
    void seeds() {
        Long one = Long.getLong("simulation.seed");
        if (one != null) {
            new Simulation(one).run();
            return;
        }
        long ended = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            Simulation s = new Simulation(seed);
            s.run();
            ended += s.endedEarly();
        }
        System.out.println("simulation: " + SEEDS + " seeds, " + ended + " cancels and deadlines");
    }
}
