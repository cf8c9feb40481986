package org.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A share of {@link AgentRounds}, of a seed in which every fault is there. */
final class AgentRoundsTest {
    private static final int ROUNDS = 12;
    private static final int SEED = 20_261_127;

    @Test
    void everythingEndsWithTheReasonAndNothingIsLeft() throws Exception {
        assertThat(AgentRounds.run(ROUNDS, 5000, SEED)).isTrue();
    }
}
