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

    /** Time that it covers while transfers take turns: what comes next waits for as much. */
    static final long SHARED_NANOS = 1_000_000;

    private static final int FIRST = 4;

    /** So many chunks keep a channel busy while the next is granted, where a grant's way is short. */
    private static final int LEAST_SHARED = 2;

    private final int most;
    private final boolean adapts;
    private int limit;
    private long lastLanding;
    private double nanosPerChunk;
    /** The shortest time from a grant to its chunk that was seen; 0 while unknown. */
    private long way;

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

    /**
     * As {@link #limit()}, while other transfers wait for their turn: about a {@linkplain #SHARED_NANOS millisecond} at the channel's pace,
     * or two of a grant's ways to the sender and a chunk's back where that is longer.
     */
    int sharedLimit() {
        return covering(Math.max(SHARED_NANOS, 2 * way));
    }

    /** As {@link #limit()}, of a channel that is to be quick for what comes next: no more than keeps it busy. */
    int quickLimit() {
        return way == 0 ? limit : covering(2 * way);
    }

    private int covering(long horizon) {
        if (!adapts || nanosPerChunk == 0) {
            return limit;
        }
        return Math.min(limit, Math.max(LEAST_SHARED, (int) Math.min(most, 1 + horizon / Math.max(nanosPerChunk, 1))));
    }

    /** A chunk has come that was granted while the channel was idle. @param nanos since its grant */
    void came(long nanos) {
        way = way == 0 ? nanos : Math.min(way, nanos);
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
