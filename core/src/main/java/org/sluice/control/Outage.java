package org.sluice.control;

import java.time.Duration;
import java.util.List;
import org.sluice.stats.ChannelCounters;

/**
 * The time in which a direction of a link has been without a channel that is of use. Channels that come back and break again
 * before they have carried anything do not end it.
 */
final class Outage {
    /** A channel that has stood for so long is of use, though there may be nothing to carry. */
    private static final long SETTLED_NANOS = 2_000_000_000;

    private final long patience;
    private final List<ChannelCounters> counters;
    private boolean under;
    private long since;
    private long closedAt;
    private long chunksBefore;

    /** @param counters of the direction's channels */
    Outage(Duration patience, List<ChannelCounters> counters) {
        this.patience = patience.toNanos();
        this.counters = counters;
    }

    /** Asked every turn once something was lost. @param open whether there is a channel @return whether patience has run out */
    boolean lasts(boolean open, long now) {
        if (counters.isEmpty()) {
            return false;
        }
        if (!open) {
            closedAt = now;
            if (!under) {
                under = true;
                since = now;
                chunksBefore = chunks();
            }
        } else if (under && (now - closedAt > SETTLED_NANOS || chunks() > chunksBefore)) {
            under = false;
        }
        return under && now - since > patience;
    }

    private long chunks() {
        long sum = 0;
        for (ChannelCounters c : counters) {
            sum += c.chunks();
        }
        return sum;
    }
}
