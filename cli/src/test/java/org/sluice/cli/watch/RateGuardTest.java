package org.sluice.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A run that falls below the rate in its middle is told within three seconds, once, and so is its recovery. */
class RateGuardTest {
    private static Reading at(double seconds, double gb) {
        return new Reading(seconds, new long[] {(long) (gb * 1e9)}, new long[0], new long[0], 0);
    }

    @Test
    void fallsAndRises() {
        RateGuard guard = new RateGuard(1.0);
        List<String> said = new ArrayList<>();
        List<Double> when = new ArrayList<>();
        double gb = 0;
        for (int i = 0; i <= 80; i++) { // 20 s: 4 s of filling, 6 s at 2 GB/s, 5 s at 0.5, 5 s at 2
            double t = i * 0.25;
            gb += t <= 4 ? 0 : t > 10 && t <= 15 ? 0.125 : 0.5;
            guard.look(at(t, gb)).ifPresent(line -> {
                said.add(line);
                when.add(t);
            });
        }
        assertThat(said).hasSize(2);
        assertThat(said.getFirst()).startsWith("BELOW --min-rate");
        assertThat(said.getLast()).startsWith("back above");
        assertThat(when.getFirst()).isBetween(10.0, 13.0);
        assertThat(when.getLast()).isBetween(15.0, 18.0);
    }

    @Test
    void withoutARateNothingIsSaid() {
        RateGuard guard = new RateGuard(0);
        for (int i = 0; i < 40; i++) {
            assertThat(guard.look(at(i, 0.001 * i))).isEmpty();
        }
    }
}
