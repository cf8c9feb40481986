package org.sluice.stats;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.sluice.ChannelTimes;

class ChannelTimingTest {
    private final ChannelTiming timing = new ChannelTiming(new ChunkEvent.Source(3, 5, "send", "eth1"));

    @Test
    void timeCountsForTheStateAtTheEndOfTheTurnBefore() {
        timing.turned(ChannelState.NO_GRANT, 0, 4, 1_000);
        timing.turned(ChannelState.SOCKET, 3, 4, 1_100);
        timing.turned(ChannelState.SOCKET, 2, 4, 1_500);
        timing.turned(ChannelState.STAGING, 1, 8, 1_600);
        timing.turned(ChannelState.IDLE, 0, 8, 1_630);
        timing.turned(ChannelState.NO_SLOT, 1, 8, 2_630);
        timing.turned(ChannelState.IDLE, 0, 8, 2_637);
        ChannelTimes t = timing.snapshot();
        assertThat(t.noGrantNanos()).isEqualTo(100);
        assertThat(t.socketNanos()).isEqualTo(500);
        assertThat(t.stagingNanos()).isEqualTo(30);
        assertThat(t.idleNanos()).isEqualTo(1_000);
        assertThat(t.noSlotNanos()).isEqualTo(7);
        assertThat(t.busyNanos()).isEqualTo(637);
        assertThat(t.chunkNanos()).isEqualTo(3 * 400 + 2 * 100 + 30 + 7);
        assertThat(t.occupancy()).isEqualTo(1437.0 / 637);
        assertThat(t.inFlight()).isZero();
        assertThat(t.window()).isEqualTo(8);
    }

    @Test
    void aChunksLatencyRunsFromItsBeginningWhateverIsInFlightBesideIt() {
        timing.open(4);
        timing.began(0, 100);
        timing.began(1, 150);
        timing.ended(0, 9, 0, 4096, 400);
        timing.began(4, 450);
        timing.ended(1, 9, 4096, 4096, 500);
        timing.ended(4, 9, 8192, 10, 460);
        assertThat(timing.snapshot().latency().count()).isEqualTo(3);
        assertThat(timing.snapshot().latency().sum()).isEqualTo(300 + 350 + 10);
        assertThat(timing.snapshot().latency().max()).isEqualTo(350);
    }
}
