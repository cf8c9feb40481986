package org.sluice.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sluice.wire.Rail;

class RailSpreadTest {
    private static List<Rail> rails(int count) {
        return IntStream.range(0, count).mapToObj(i -> new Rail(i, i, 0, 0)).toList();
    }

    @Test
    void moreChannelsThanRailsAreDealtInTurnAndGpusStartElsewhere() {
        assertThat(RailSpread.of(rails(2), 2, 0, 0, 3, 0)).containsExactly(0, 1, 0);
        assertThat(RailSpread.of(rails(2), 2, 0, 0, 3, 1)).containsExactly(1, 0, 1);
    }

    @Test
    void nearNicsComeFirst() {
        assertThat(RailSpread.of(rails(3), 3, 0b100, 0b110, 3, 0)).containsExactly(2, 1, 0);
    }

    @Test
    void aRailThatOughtToWorkHasAChannelButTakesNoOtherItsOnlyOne() {
        assertThat(RailSpread.of(rails(3), 2, 0, 0, 8, 0)).containsExactly(0, 1, 0, 1, 0, 1, 0, 2);
        assertThat(RailSpread.of(rails(4), 2, 0, 0, 3, 0)).containsExactly(0, 1, 2);
        assertThat(RailSpread.of(rails(3), 2, 0, 0, 2, 0)).containsExactly(0, 1);
    }
}
