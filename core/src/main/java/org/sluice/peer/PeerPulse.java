package org.sluice.peer;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The signs of life between two nodes: what any of their links says or hears counts for all of them, so that a heartbeat is the peer's and
 * not each link's. Now and then each link says it, so that none is silent for so long that a firewall on its way forgets it.
 *
 * <p>A link that waits for something may wait on a way that is dead while another's is not: those are asked in turn. Nobody looks at links
 * that wait for nothing. The node's timer ticks; any thread may ask what was heard.
 */
final class PeerPulse {
    private static final Logger log = LoggerFactory.getLogger(PeerPulse.class);

    /** Heartbeats in one peer timeout: three may be lost to a busy machine before the link is. */
    static final int BEATS = 4;

    /** A peer may have a shorter timeout than this side. */
    private static final long MOST_BEAT_NANOS = 1_000_000_000;

    private static final long MOST_TICK_NANOS = 250_000_000;

    /** Most that a question may be without an answer before those who wait ask themselves. */
    private static final long SUSPECT_NANOS = 200_000_000;

    private final long beatNanos;
    private final long silentNanos;
    private final long sleepNanos;
    private final List<LinkPulse> links = new CopyOnWriteArrayList<>();
    private int turn;
    private int beats;
    private long beatAt;
    private @Nullable LinkPulse asked;
    private long askedAt;
    private volatile long tickedAt;
    private volatile long awakeSince;

    /** @param timeout of silence after which the peer is lost */
    PeerPulse(Duration timeout, long now) {
        this.beatNanos = beat(timeout);
        this.sleepNanos = timeout.toNanos() / 2;
        this.tickedAt = now;
        this.awakeSince = now;
        // what was said a moment ago need not be said again, but the next tick may be too late
        this.silentNanos = Math.max(beatNanos / 2, beatNanos - tick(timeout) / 2);
    }

    static long beat(Duration timeout) {
        return Math.min(timeout.toNanos() / BEATS, MOST_BEAT_NANOS);
    }

    static long tick(Duration timeout) {
        return Math.min(beat(timeout), MOST_TICK_NANOS);
    }

    void add(LinkPulse link) {
        links.add(link);
    }

    /** @return whether it was the last */
    boolean remove(LinkPulse link) {
        links.remove(link);
        return links.isEmpty();
    }

    /** When the peer was heard last, on whichever link; {@code otherwise} where that was earlier. Any thread. */
    long heardAt(long otherwise) {
        long latest = otherwise;
        for (LinkPulse l : links) {
            long at = l.readAt();
            latest = at - latest > 0 ? at : latest;
        }
        return latest;
    }

    /**
     * Since when this node runs without a long break: a suspended machine, or a pause of the JVM. The peer may have had the same, so that
     * its silence counts from then; once, until it is heard again. Links at rest cannot see a break that ends before their rest does. Any
     * thread.
     */
    long awakeSince(long now) {
        long since = awakeSince;
        return now - tickedAt > sleepNanos && heardAt(since) - since > 0 ? now : since;
    }

    /** The node's timer calls it. */
    void tick(long now) {
        awakeSince = awakeSince(now);
        tickedAt = now;
        LinkPulse[] all = links.toArray(LinkPulse[]::new);
        if (all.length == 0) {
            return;
        }
        turn = (turn + 1) % all.length;
        long silent = beatNanos;
        LinkPulse heard = all[0];
        LinkPulse waiting = null;
        boolean inTurn = false;
        for (int i = 0; i < all.length; i++) {
            LinkPulse l = all[i];
            l.lookAtAgent();
            silent = Math.min(silent, now - l.writtenAt());
            heard = l.readAt() - heard.readAt() > 0 ? l : heard;
            if (l.waits() && (waiting == null || (!inTurn && i >= turn))) {
                waiting = l;
                inTurn = i >= turn;
            }
        }
        if (silent >= silentNanos) {
            beat(all, heard, now);
        }
        ask(waiting, now);
    }

    /** Where the peer is known to hear it; where it has not answered the last, everywhere. */
    private void beat(LinkPulse[] all, LinkPulse heard, long now) {
        boolean answered = beats == 0 || heard.readAt() - beatAt >= 0;
        beatAt = now;
        if (answered) {
            beat(heard, now);
            if (++beats % BEATS == 0) {
                beat(all[beats / BEATS % all.length], now);
            }
        } else {
            for (LinkPulse l : all) {
                beat(l, now);
            }
        }
    }

    /** Has one of those who wait ask the peer whether it is there, unless one does already. */
    private void ask(@Nullable LinkPulse waiting, long now) {
        LinkPulse a = asked;
        if (a != null && waiting != null && links.contains(a) && a.readAt() - askedAt < 0) {
            if (now - askedAt < SUSPECT_NANOS) {
                return;
            }
            for (LinkPulse l : links) {
                l.suspect(askedAt, now);
            }
        }
        asked = waiting;
        askedAt = now;
        if (waiting != null) {
            beat(waiting, now);
        }
    }

    private static void beat(LinkPulse link, long now) {
        try {
            link.beat(now);
        } catch (IOException e) {
            log.debug("no heartbeat: {}", e.toString()); // the agent sees it too, and says so
        }
    }
}
