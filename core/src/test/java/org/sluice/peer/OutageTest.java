package org.sluice.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sluice.stats.ChannelCounters;

/** For how long a direction is said to be without rails, over a time that the test gives. Times are milliseconds. */
class OutageTest {
    private final ChannelCounters channel = new ChannelCounters();
    private final Outage outage = new Outage(List.of(channel));

    private static long nanos(long millis) {
        return millis * 1_000_000;
    }

    @Test
    void countsFromTheLastSignOfLifeAndNotFromWhenItIsFoundOut() {
        assertThat(outage.withChannel(nanos(1000))).isZero();
        assertThat(outage.withoutChannel(nanos(1100), nanos(1600))).isEqualTo(nanos(500));
        // what a later life of a channel says does not move the beginning
        assertThat(outage.withoutChannel(nanos(2000), nanos(2500))).isEqualTo(nanos(1400));
    }

    @Test
    void goesOnWhileAChannelComesBackAndCarriesNothing() {
        outage.withoutChannel(nanos(1000), nanos(1400));
        assertThat(outage.withChannel(nanos(3000))).isEqualTo(nanos(2000));
        assertThat(outage.withoutChannel(nanos(3100), nanos(3500))).isEqualTo(nanos(2500));
    }

    @Test
    void endsWithTheFirstChunk() {
        outage.withoutChannel(nanos(1000), nanos(1400));
        channel.chunk(4096);
        assertThat(outage.withChannel(nanos(1500))).isZero();
        assertThat(outage.withoutChannel(nanos(1600), nanos(2000))).isEqualTo(nanos(400));
    }

    @Test
    void endsWhenAChannelHasStoodForTwoSecondsThoughThereIsNothingToCarry() {
        outage.withoutChannel(nanos(1000), nanos(1400));
        assertThat(outage.withChannel(nanos(3400))).isEqualTo(nanos(2400));
        assertThat(outage.withChannel(nanos(3401))).isZero();
    }
}
