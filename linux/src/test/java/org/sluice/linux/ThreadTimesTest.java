package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class ThreadTimesTest {
    @Test
    void aBusyThreadIsThereByItsNameAndItsTimeGrows() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        Thread busy = Thread.ofPlatform().name("gpu3-agent").daemon(true).start(() -> {
            while (!stop.get()) {
                Thread.onSpinWait();
            }
        });
        try {
            long first = of("gpu3-agent");
            long end = System.nanoTime() + 30_000_000_000L;
            while (of("gpu3-agent") <= first && System.nanoTime() < end) {
                Thread.onSpinWait();
            }
            assertThat(of("gpu3-agent")).isGreaterThan(first);
        } finally {
            stop.set(true);
            busy.join();
        }
    }

    private static long of(String name) throws IOException {
        return ThreadTimes.ofThisProcess().stream()
                .filter(t -> t.name().equals(name))
                .mapToLong(ThreadTimes::cpuNanos)
                .sum();
    }

    @Test
    void aNameMayHoldParenthesesAndSpaces() throws IOException {
        ThreadTimes t = ThreadTimes.parse("4711 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 3 0 100");
        assertThat(t).isEqualTo(new ThreadTimes(4711, "a) b (c", 2_000_000_000L));
    }

    @Test
    void whatIsNoStatIsRefused() {
        assertThatThrownBy(() -> ThreadTimes.parse("4711 S 1 2 3")).isInstanceOf(IOException.class);
    }
}
