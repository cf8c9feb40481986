package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TurnTimesTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    @DisplayName("whatever is put, put off, put forward and taken out, each is due at its time and once")
    void asAList(int seed) {
        Random random = new Random(seed);
        TurnTimes times = new TurnTimes();
        RungBells nobody = new RungBells();
        List<WorkBell> bells = new ArrayList<>();
        for (int n = 0; n < 1 + random.nextInt(60); n++) {
            bells.add(new WorkBell(nobody, () -> {}));
        }
        Map<WorkBell, Long> wanted = new HashMap<>();
        long now = Long.MAX_VALUE - 5000; // the clock may wrap
        for (int step = 0; step < 5000; step++) {
            WorkBell b = bells.get(random.nextInt(bells.size()));
            switch (random.nextInt(4)) {
                case 0, 1 -> {
                    long at = now + random.nextInt(200);
                    times.at(b, at);
                    wanted.put(b, at);
                }
                case 2 -> {
                    times.remove(b);
                    b.waits = false;
                    wanted.remove(b);
                }
                default -> now += random.nextInt(40);
            }
            long time = now;
            long left = times.nanosToNext(time, 1000);
            // what was put off may keep an earlier place: never a later one
            wanted.values().forEach(at -> assertThat(Math.max(0, at - time)).isGreaterThanOrEqualTo(left));
            List<WorkBell> due = new ArrayList<>();
            for (WorkBell d = times.due(time); d != null; d = times.due(time)) {
                due.add(d);
            }
            List<WorkBell> expected = wanted.entrySet().stream()
                    .filter(e -> e.getValue() - time <= 0)
                    .map(Map.Entry::getKey)
                    .toList();
            assertThat(due).containsExactlyInAnyOrderElementsOf(expected);
            due.forEach(wanted::remove);
        }
    }
}
