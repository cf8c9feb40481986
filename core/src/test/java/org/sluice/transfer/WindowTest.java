package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

final class WindowTest {
    private static final int MOST = 16;

    /** Lets chunks land at a pace until the window has settled. */
    private static int settled(Window window, long start, long nanosPerChunk) {
        long now = start;
        for (int n = 0; n < 200; n++) {
            now += nanosPerChunk;
            window.landed(1, now);
            assertThat(window.limit()).isBetween(1, MOST);
        }
        return window.limit();
    }

    @Test
    @DisplayName("a fast rail gets all, a slow one what it moves in the horizon, a very slow one a chunk at a time")
    void followsThePace() {
        Window fast = Window.adaptive(MOST);
        fast.started(0);
        assertThat(settled(fast, 0, 50_000)).isEqualTo(MOST);
        Window slow = Window.adaptive(MOST);
        slow.started(0);
        assertThat(settled(slow, 0, Window.HORIZON_NANOS / 4)).isBetween(4, 6);
        Window crawling = Window.adaptive(MOST);
        crawling.started(0);
        assertThat(settled(crawling, 0, Window.HORIZON_NANOS * 100)).isEqualTo(1);
    }

    @Test
    @DisplayName("a rail that slows down, and one that recovers, is followed")
    void followsAChange() {
        Window w = Window.adaptive(MOST);
        w.started(0);
        settled(w, 0, 50_000);
        assertThat(settled(w, 200 * 50_000L, Window.HORIZON_NANOS)).isEqualTo(2);
        assertThat(settled(w, 200 * 50_000L + 200 * Window.HORIZON_NANOS, 50_000))
                .isEqualTo(MOST);
    }

    @Test
    @DisplayName("time without anything in flight says nothing of the pace")
    void idleTime() {
        Window w = Window.adaptive(MOST);
        w.started(0);
        settled(w, 0, 50_000);
        long later = 3_600_000_000_000L;
        w.started(later);
        w.landed(1, later + 50_000);
        assertThat(w.limit()).isEqualTo(MOST);
    }

    @Test
    @DisplayName("several that land in one turn, even in no time, are no reason to stop")
    void manyAtOnce() {
        Window w = Window.adaptive(MOST);
        w.started(0);
        w.landed(8, 0);
        w.landed(8, 0);
        assertThat(w.limit()).isBetween(1, MOST);
        assertThat(Window.adaptive(2).limit()).isEqualTo(2);
        Window fixed = Window.fixed(3);
        fixed.landed(1, Long.MAX_VALUE);
        assertThat(fixed.limit()).isEqualTo(3);
    }

    @Test
    void whileTransfersTakeTurnsItCoversAMillisecondOrTwoWays() {
        Window w = Window.adaptive(MOST);
        assertThat(w.sharedLimit()).isEqualTo(w.limit());
        assertThat(w.quickLimit()).isEqualTo(w.limit());
        settled(w, 0, Window.SHARED_NANOS / 4);
        assertThat(w.sharedLimit()).isBetween(4, 6).isLessThan(w.limit());
        w.came(Window.SHARED_NANOS * 5);
        assertThat(w.sharedLimit()).isEqualTo(w.limit());
        assertThat(w.quickLimit()).isEqualTo(w.limit());
        w.came(10_000); // a grant's way is the shortest that was seen
        assertThat(w.sharedLimit()).isBetween(4, 6);
        assertThat(w.quickLimit()).isEqualTo(2);
        Window slow = Window.adaptive(MOST);
        settled(slow, 0, Window.SHARED_NANOS * 10);
        assertThat(slow.sharedLimit()).isEqualTo(2);
    }
}
