package org.sluice.peer;

import java.util.List;
import org.sluice.stats.ChannelCounters;

/**
 * The time in which a direction of a link has been without a rail that is of use: from the last sign of life that one gave, which
 * is before it was found dead. Channels that come back and break again before they have carried anything do not end it.
 */
final class Outage {
    /** A channel that has stood for so long is of use, though there may be nothing to carry. */
    private static final long SETTLED_NANOS = 2_000_000_000;

    private final List<ChannelCounters> counters;
    private boolean under;
    private long since;
    private long closedAt;
    private long chunksBefore;

    /** @param counters of the direction's channels */
    Outage(List<ChannelCounters> counters) {
        this.counters = counters;
    }

    /** Asked every turn in which there is a channel. @return as {@link #withoutChannel} */
    long withChannel(long now) {
        if (under && (now - closedAt > SETTLED_NANOS || chunks() > chunksBefore)) {
            under = false;
        }
        return under ? now - since : 0;
    }

    /**
     * Asked every turn in which there is none.
     *
     * @param lastSign when the last of the rails gave its last sign of life
     * @return how long it has lasted, nanoseconds
     */
    long withoutChannel(long lastSign, long now) {
        closedAt = now;
        if (!under) {
            under = true;
            since = lastSign;
            chunksBefore = chunks();
        }
        return now - since;
    }

    private long chunks() {
        long sum = 0;
        for (ChannelCounters c : counters) {
            sum += c.chunks();
        }
        return sum;
    }
}
