package org.sluice.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimelineTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 599, 600, 601, 602, 1201, 5000, 100_003})
    void itStaysBoundedEvenAndHasTheFirstAndTheNewest(int count) {
        Timeline timeline = new Timeline();
        for (int i = 0; i < count; i++) {
            timeline.add(new Reading(i, new long[0], new long[0], new long[0], 0));
        }
        List<Reading> readings = timeline.readings();
        assertThat(readings).hasSizeBetween(Math.min(count, Timeline.CAPACITY / 2), Timeline.CAPACITY);
        assertThat(readings.getFirst().seconds()).isZero();
        assertThat(readings.getLast().seconds()).isEqualTo(count - 1);
        for (int i = 2; i < readings.size() - 1; i++) {
            assertThat(readings.get(i).seconds() - readings.get(i - 1).seconds())
                    .isEqualTo(readings.get(1).seconds());
        }
    }
}
