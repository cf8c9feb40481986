package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Whom what is granted ahead would hold up. */
final class NewcomersTest {
    private static final long CHUNK = 512 << 10;
    private static final long WINDOW = 64 * CHUNK;
    private static final long LATER = TimeUnit.SECONDS.toNanos(61);

    private final Newcomers newcomers = new Newcomers(CHUNK, WINDOW);

    @Test
    void nobodyAtFirst() {
        assertThat(newcomers.areShort(0)).isFalse();
        assertThat(newcomers.areBrief(0)).isFalse();
    }

    @Test
    void longOnesAreHeldUpLittle() {
        newcomers.came(WINDOW, -5);
        assertThat(newcomers.areShort(-4)).isFalse();
        assertThat(newcomers.areBrief(-4)).isFalse();
    }

    @Test
    void briefOnesAreRememberedForAMinute() {
        newcomers.came(WINDOW - 1, -5);
        assertThat(newcomers.areShort(-4)).isFalse();
        assertThat(newcomers.areBrief(-4)).isTrue();
        assertThat(newcomers.areBrief(LATER)).isFalse();
    }

    @Test
    void shortOnesAreBriefToo() {
        newcomers.came(CHUNK, 7);
        newcomers.came(WINDOW, 8);
        assertThat(newcomers.areShort(9)).isTrue();
        assertThat(newcomers.areBrief(9)).isTrue();
        assertThat(newcomers.areShort(7 + LATER)).isFalse();
    }
}
