package org.sluice.transfer;

/**
 * How many chunks a channel may have in flight. For adaptive striping the limit follows the channel's own pace: as many chunks
 * as it moves in {@link #HORIZON_NANOS}, so that a slow rail never holds a queue that the others would wait for at the end,
 * and a fast one never runs dry.
 */
final class Window {
    /**
     * Time that a channel's window covers. It must exceed a grant's way to the sender (a round trip, plus what waits in a shaped
     * queue), and bounds the tail that a slow rail adds to a transfer.
     */
    static final long HORIZON_NANOS = 50_000_000;

    private static final int FIRST = 4;

    private final int most;
    private final boolean adapts;
    private int limit;
    private long lastLanding;
    private double nanosPerChunk;

    private Window(int most, boolean adapts) {
        this.most = most;
        this.adapts = adapts;
        this.limit = adapts ? Math.min(FIRST, most) : most;
    }

    static Window fixed(int chunks) {
        return new Window(chunks, false);
    }

    static Window adaptive(int most) {
        return new Window(most, true);
    }

    int limit() {
        return limit;
    }

    /** The channel's pace, 0 while unknown. */
    double nanosPerChunk() {
        return nanosPerChunk;
    }

    /** The channel was idle until now: the time it spent so says nothing of its pace. */
    void started(long now) {
        lastLanding = now;
    }

    /** {@code chunks} have landed since the last call, with others in flight or posted again at once. */
    void landed(int chunks, long now) {
        if (!adapts) {
            return;
        }
        double sample = (double) (now - lastLanding) / chunks;
        lastLanding = now;
        // the mean of about the last eight harvests: follows a rail that slows down within a window, ignores one hiccup
        nanosPerChunk = nanosPerChunk == 0 ? sample : nanosPerChunk + (sample - nanosPerChunk) / 8;
        limit = (int) Math.max(1, Math.min(most, 1 + HORIZON_NANOS / Math.max(nanosPerChunk, 1)));
    }
}
