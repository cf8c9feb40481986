package org.sluice.peer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PeerSilenceTest {
    private static final long TIMEOUT = 1000;

    /** Half-way round, where a comparison without a difference would go wrong. */
    private static final long START = Long.MAX_VALUE - 700;

    private static final long FIRST = 6000;

    private final PeerSilence silence = new PeerSilence(TIMEOUT, FIRST, at(0));

    PeerSilenceTest() {
        silence.heard();
    }

    private static long at(long time) {
        return START + time;
    }

    private void turnsUntil(long from, long to, long heardAt) {
        for (long t = from; t <= to; t += 50) {
            silence.turn(at(t), at(heardAt));
        }
    }

    @Test
    void aPeerThatSaysNothingIsSilent() {
        turnsUntil(0, 1000, 0);
        assertThat(silence.isTooLong(at(1000), at(0))).isFalse();
        assertThat(silence.isTooLong(at(1001), at(0))).isTrue();
    }

    @Test
    void aPeerThatHasManyLinksToBeginHasLongerForItsFirstWord() {
        PeerSilence begins = new PeerSilence(TIMEOUT, FIRST, at(0));
        for (long t = 0; t <= FIRST; t += 50) {
            begins.turn(at(t), at(0));
        }
        assertThat(begins.isTooLong(at(FIRST), at(0))).isFalse();
        assertThat(begins.nanosLeft(at(FIRST - 300), at(0))).isEqualTo(300);
        assertThat(begins.isTooLong(at(FIRST + 1), at(0))).isTrue();
        begins.heard();
        assertThat(begins.isTooLong(at(FIRST), at(FIRST - TIMEOUT - 1))).isTrue();
    }

    @Test
    void whatIsHeardStartsItAnew() {
        turnsUntil(0, 1500, 900);
        assertThat(silence.isTooLong(at(1500), at(900))).isFalse();
        assertThat(silence.isTooLong(at(1901), at(900))).isTrue();
    }

    @Test
    void afterThisSideSleptThePeerGetsItsTimeoutOnceMore() {
        turnsUntil(0, 200, 100);
        silence.turn(at(90_000), at(100));
        assertThat(silence.isTooLong(at(90_000), at(100))).isFalse();
        turnsUntil(90_050, 91_000, 100);
        assertThat(silence.isTooLong(at(91_000), at(100))).isFalse();
        assertThat(silence.isTooLong(at(91_001), at(100))).isTrue();
    }

    @Test
    void aSideThatHardlyRunsStillTellsADeadPeer() {
        silence.turn(at(600), at(0));
        silence.turn(at(1200), at(0));
        silence.turn(at(1800), at(0));
        assertThat(silence.isTooLong(at(1800), at(0))).isTrue();
    }

    @Test
    void itIsGrantedAgainOnceThePeerWasHeard() {
        silence.turn(at(90_000), at(0));
        turnsUntil(90_050, 90_400, 90_300);
        silence.turn(at(180_000), at(90_300));
        assertThat(silence.isTooLong(at(180_000), at(90_300))).isFalse();
    }
}
