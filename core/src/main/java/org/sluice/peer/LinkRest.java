package org.sluice.peer;

import org.jspecify.annotations.Nullable;
import org.sluice.transfer.LinkEngine;
import org.sluice.transfer.Work;
import org.sluice.wire.ControlConnection;

/** How long a link that has nothing to do need not be turned, where nothing comes that rings. Agent thread only. */
final class LinkRest {
    /** What comes rings. */
    static final int MOST_MILLIS = 60_000;

    /**
     * While several chunks are under way: a transport rings when half of them are done, and the agent finds the others by itself. Less
     * than anybody sees, and too seldom to cost anything.
     */
    private static final int UNDERWAY_MILLIS = 5;

    /** Rests after each of which nothing was found; each is twice as long as the one before. */
    private static final int MOST_QUIET = 4;

    /** While the peer is to do something: rails and the control connection are looked at no more often than that. */
    private static final int LOOK_MILLIS = 100;

    /** While channels are being made, whose transport may have no doorbell to ring. */
    private static final int MOST_CHANNEL_MILLIS = 20;

    private final LinkEngine engine;
    private final @Nullable ControlPlane plane;
    private int quiet;

    LinkRest(LinkEngine engine, @Nullable ControlPlane plane) {
        this.engine = engine;
        this.plane = plane;
    }

    /** @param work how much was done in a turn */
    void turned(int work, long now) {
        quiet = work > 0 ? 0 : quiet;
        if (work == 0 && plane != null) {
            plane.control().trim(now);
        }
    }

    /**
     * Between looks at channels that are being made: an eighth of the time that has passed, so that a thousand nodes which wait at once do
     * not keep each other from the CPUs.
     */
    static int lookMillis(long sinceNanos) {
        return Math.clamp(sinceNanos / 8_000_000, 1, MOST_CHANNEL_MILLIS);
    }

    int millis(long now) {
        quiet = engine.isBatching() ? Math.min(quiet + 1, MOST_QUIET) : 0;
        int rest = quiet > 0 ? UNDERWAY_MILLIS << (quiet - 1) : engine.isUnderWay() ? LOOK_MILLIS : MOST_MILLIS;
        if (plane != null) {
            if (plane.repair().isTrying()) {
                rest = lookMillis(now - plane.repair().tryingSince());
            } else if (plane.isMending()) {
                rest = Math.min(rest, Work.IDLE_MILLIS);
            }
            if (plane.control().isLarge()) {
                rest = Math.min(rest, ControlConnection.TRIM_MILLIS);
            }
            rest = plane.rest(rest, engine.unfinished() > 0 && !engine.isUnderWay());
        }
        return (int) Math.ceilDiv(engine.nanosToDeadline(now, rest * 1_000_000L), 1_000_000L);
    }
}
