package org.sluice.simulation;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The data plane over wires that misbehave: whatever the order of things, bytes arrive or failures are told. */
final class SimulationTest {
    /** More with {@code -Dsimulation.seeds=N}, from {@code -Dsimulation.first=S} on; one alone with {@code -Dsimulation.seed=S}. */
    private static final int SEEDS = Integer.getInteger("simulation.seeds", 500);

    private static final long FIRST = Long.getLong("simulation.first", 0);

    @Test
    @DisplayName("every transfer of every seed ends, and ends right")
    void seeds() {
        Long one = Long.getLong("simulation.seed");
        if (one != null) {
            new Simulation(one).run();
            return;
        }
        long ended = 0;
        for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
            Simulation s = new Simulation(seed);
            s.run();
            ended += s.endedEarly();
        }
        System.out.println("simulation: " + SEEDS + " seeds from " + FIRST + ", " + ended + " cancels and deadlines");
    }
}
