package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.spi.CpuWaits;

final class CallClockTest {
    private static final long MILLI = 1_000_000;
    private static final long LIMIT = 2000 * MILLI;
    private static final long BEGUN = Long.MAX_VALUE - 500 * MILLI; // the clock may pass its end

    private long waited;
    private final CallClock clock = new CallClock(LIMIT, BEGUN, new CpuWaits() {
        @Override
        public void begin() {}

        @Override
        public long longest() {
            return waited;
        }
    });

    /** Looks every 50 ms. @return after how long the call had taken too long */
    private long millisUntilOver(long from) {
        for (long t = from; t < 60_000; t += 50) {
            if (clock.isOver(BEGUN + t * MILLI)) {
                return t;
            }
        }
        throw new AssertionError("never");
    }

    @Test
    @DisplayName("a call that does not come back is over at its limit")
    void limit() {
        assertThat(millisUntilOver(0)).isEqualTo(2000);
    }

    @Test
    @DisplayName("time that a thread of this process waited for a CPU does not count")
    void withoutCpu() {
        waited = 1500 * MILLI;
        assertThat(millisUntilOver(0)).isEqualTo(3500);
    }

    @Test
    @DisplayName("nor time in which nobody looked")
    void unseen() {
        assertThat(clock.isOver(BEGUN + 100 * MILLI)).isFalse();
        assertThat(millisUntilOver(5100)).as("5 s without a look").isEqualTo(7000);
    }

    @Test
    @DisplayName("however little CPU there is, there is an end")
    void end() {
        waited = Long.MAX_VALUE / 4;
        assertThat(millisUntilOver(0)).isEqualTo(12_000);
    }
}
