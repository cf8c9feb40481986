package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sluice.spi.Channel;
import org.sluice.spi.CpuWaits;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.ScatterList;
import org.sluice.spi.SendChannel;

/** What each side's clock makes of a rail, over a time that the test gives. Times are milliseconds. */
class RailVerdictTest {
    private static final int LIMIT = 400;
    private static final int TURN = 50;

    private long now = 10_000;
    private long heardAt = now;
    private long unanswered;
    private long arrived;

    private static long nanos(long millis) {
        return millis * 1_000_000;
    }

    private final SendChannel sending = new SendChannel() {
        @Override
        public long unanswered() {
            return nanos(unanswered);
        }

        @Override
        public boolean send(Registration memory, long address, long bytes, long message, long offset) {
            return false;
        }

        @Override
        public Registration register(GpuMemory memory) {
            return () -> {};
        }

        @Override
        public int test() {
            return PENDING;
        }

        @Override
        public String description() {
            return "sending";
        }

        @Override
        public void close() {}
    };

    private final ReceiveChannel receiving = new ReceiveChannel() {
        @Override
        public long progress() {
            return arrived;
        }

        @Override
        public boolean receive(Registration memory, long address, long bytes, long message, long offset) {
            return false;
        }

        @Override
        public ScatterList scattered() {
            return new ScatterList();
        }

        @Override
        public void consumed() {}

        @Override
        public Registration register(GpuMemory memory) {
            return () -> {};
        }

        @Override
        public int test() {
            return PENDING;
        }

        @Override
        public String description() {
            return "receiving";
        }

        @Override
        public void close() {}
    };

    private RailVerdict sender(AnswerClock clock) throws Exception {
        return clock.look(sending, nanos(now), nanos(heardAt));
    }

    @Test
    void aSenderWhoseBytesAreUnansweredCallsTheRailDeadAtTheLimit() throws Exception {
        AnswerClock clock = new AnswerClock(nanos(LIMIT));
        clock.moved(nanos(now));
        for (int silent = TURN; silent < LIMIT; silent += TURN) {
            now += TURN;
            heardAt = now;
            unanswered = silent;
            assertThat(sender(clock)).isNotEqualTo(RailVerdict.DEAD);
        }
        now += TURN;
        unanswered = LIMIT;
        assertThat(sender(clock)).isEqualTo(RailVerdict.DEAD);
        assertThat(clock.silentSince(nanos(now))).isEqualTo(nanos(now - LIMIT));
    }

    @Test
    void aSenderThatMovesAgainForgetsItsSilence() throws Exception {
        AnswerClock clock = new AnswerClock(nanos(LIMIT));
        clock.moved(nanos(now));
        now += LIMIT;
        unanswered = LIMIT - TURN;
        assertThat(sender(clock)).isEqualTo(RailVerdict.SUSPECT);
        assertThat(clock.silentSince(nanos(now))).isEqualTo(nanos(now - unanswered));
        clock.moved(nanos(now));
        now += TURN;
        assertThat(clock.silentSince(nanos(now))).isEqualTo(nanos(now));
    }

    @Test
    void aSenderThatIsAnsweredWaitsForEver() throws Exception {
        AnswerClock clock = new AnswerClock(nanos(LIMIT));
        clock.moved(nanos(now));
        for (int turn = 0; turn < 1000; turn++) {
            now += TURN;
            heardAt = now;
            assertThat(sender(clock)).isEqualTo(RailVerdict.MOVING);
        }
    }

    @Test
    void aSenderOfWhomAllHasLandedIsNotAskedAgainUntilItSends() throws Exception {
        AnswerClock clock = new AnswerClock(nanos(LIMIT));
        clock.moved(nanos(now));
        clock.settled();
        now += 2 * LIMIT;
        heardAt = now;
        unanswered = 2 * LIMIT; // what others have sent on the same connection
        assertThat(sender(clock)).isEqualTo(RailVerdict.MOVING);
        clock.moved(nanos(now));
        now += 2 * LIMIT;
        heardAt = now;
        assertThat(sender(clock)).isEqualTo(RailVerdict.DEAD);
    }

    @Test
    void aPeerThatIsSilentOnEveryWayIsNotARailsFault() throws Exception {
        AnswerClock clock = new AnswerClock(nanos(LIMIT));
        clock.moved(nanos(now));
        for (int silent = TURN; silent < 10 * LIMIT; silent += TURN) {
            now += TURN;
            unanswered = silent;
            assertThat(sender(clock)).isNotEqualTo(RailVerdict.DEAD);
        }
        assertThat(sender(clock)).isEqualTo(RailVerdict.SUSPECT);
    }

    @Test
    void aReceiverLeavesTheJudgementToTheSenderForLong() throws Exception {
        StallClock clock = new StallClock(nanos(LIMIT));
        clock.came(nanos(now));
        long since = now;
        RailVerdict verdict = RailVerdict.MOVING;
        while (verdict != RailVerdict.DEAD) {
            now += TURN;
            heardAt = now;
            verdict = clock.look(receiving, nanos(now), nanos(heardAt), 0);
        }
        assertThat(now - since).isBetween(8L * LIMIT, 8L * LIMIT + 2 * TURN);
        assertThat(clock.cameAt()).isEqualTo(nanos(since));
    }

    @Test
    void chunksThatBeginToBeOwedAreNoSignOfLife() throws Exception {
        StallClock clock = new StallClock(nanos(LIMIT));
        clock.came(nanos(now));
        long since = now;
        now += 3 * TURN;
        clock.owes(nanos(now));
        assertThat(clock.cameAt()).isEqualTo(nanos(since));
        assertThat(clock.silence(nanos(now))).isZero();
    }

    @Test
    void oneByteIsEnoughForAReceiver() throws Exception {
        StallClock clock = new StallClock(nanos(LIMIT));
        clock.came(nanos(now));
        for (int turn = 0; turn < 2000; turn++) {
            now += TURN;
            heardAt = now;
            arrived += turn % 20 == 0 ? 1 : 0;
            assertThat(clock.look(receiving, nanos(now), nanos(heardAt), 0)).isNotEqualTo(RailVerdict.DEAD);
        }
        assertThat(nanos(now) - clock.cameAt()).isLessThanOrEqualTo(nanos(20 * TURN));
    }

    @Test
    void timeInWhichNobodyWatchedSaysNothing() throws Exception {
        StallClock clock = new StallClock(nanos(LIMIT));
        clock.came(nanos(now));
        for (int gap : List.of(9 * LIMIT, 3 * LIMIT, LIMIT, LIMIT, 100 * LIMIT)) {
            now += gap;
            heardAt = now;
            assertThat(clock.look(receiving, nanos(now), nanos(heardAt), 0)).isEqualTo(RailVerdict.MOVING);
        }
    }

    private CpuWaits waiting(long millis) {
        return new CpuWaits() {
            @Override
            public void begin() {}

            @Override
            public long longest() {
                return nanos(millis);
            }
        };
    }

    /** @return how long a channel was silent, whose transport tells nothing, until it was called dead */
    private long silentUntilDead(StallClock clock, double millisPerChunk) throws Exception {
        arrived = Channel.UNKNOWN_PROGRESS;
        clock.came(nanos(now));
        long since = now;
        RailVerdict verdict = RailVerdict.MOVING;
        while (verdict != RailVerdict.DEAD) {
            now += TURN;
            heardAt = now;
            verdict = clock.look(receiving, nanos(now), nanos(heardAt), millisPerChunk * 1e6);
        }
        return now - since;
    }

    /** TCP repeats after 200, 400, 800 and 1600 ms: a rail that loses a segment and three repeats of it lives. */
    @Test
    void aRailThatNobodyTellsOfIsGivenFourRetransmissions() throws Exception {
        assertThat(silentUntilDead(new StallClock(nanos(LIMIT), waiting(0)), 1)).isBetween(3000L, 3300L);
    }

    @Test
    void timeWithoutACpuIsNoSilence() throws Exception {
        assertThat(silentUntilDead(new StallClock(nanos(LIMIT), waiting(2000)), 1))
                .isBetween(5000L, 5400L);
        assertThat(silentUntilDead(new StallClock(nanos(LIMIT), waiting(60_000)), 1))
                .as("but not for ever")
                .isBetween(10_000L, 10_100L);
    }

    @Test
    void theKernelTellsHowLongThreadsWaitForACpu() {
        CpuWaits waits = CpuWaits.ofProcess();
        waits.begin();
        assertThat(waits.longest()).isNotNegative();
    }
}
