package org.sluice.engine;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ChannelStats;
import org.sluice.Link;
import org.sluice.stats.RateEvent;

/**
 * Notices that the links of a node together have been slower than they must be for two seconds, and that they are back. Time in which
 * no transfer is under way does not count. Looks on the node's timer; any thread may ask.
 */
final class RateWatch {
    private static final Logger log = LoggerFactory.getLogger(RateWatch.class);

    /** Some looks to each span, so that a fall is told within three seconds. */
    static final Duration EVERY = Duration.ofMillis(250);

    private static final long SPAN_NANOS = 2_000_000_000L;

    private record Look(long nanos, long bytes) {}

    private final double least;
    private final Collection<EngineLink> links;
    private final Map<Link, Long> carried = new HashMap<>();
    private final Deque<Look> recent = new ArrayDeque<>();
    private long bytes;
    private volatile boolean below;

    /** @param least in 10^9 bytes a second; @param links those of the node at any moment */
    RateWatch(double least, Collection<EngineLink> links) {
        this.least = least;
        this.links = links;
    }

    boolean isBelow() {
        return below;
    }

    /** By one thread. @param nanos {@link System#nanoTime} */
    void look(long nanos) {
        boolean busy = false;
        carried.keySet().retainAll(links);
        for (EngineLink l : links) {
            busy |= l.isBusy();
            long now = l.channels().stream().mapToLong(ChannelStats::bytes).sum();
            Long before = carried.put(l, now);
            bytes += before == null ? 0 : now - before;
        }
        judge(busy, nanos, bytes);
    }

    /** @param total bytes that were carried so far */
    void judge(boolean busy, long nanos, long total) {
        if (!busy) {
            recent.clear();
            return;
        }
        recent.add(new Look(nanos, total));
        while (recent.size() > 2
                && nanos - recent.stream().skip(1).findFirst().orElseThrow().nanos() >= SPAN_NANOS) {
            recent.removeFirst();
        }
        Look then = recent.getFirst();
        long span = nanos - then.nanos();
        if (span < SPAN_NANOS) {
            return;
        }
        double rate = (total - then.bytes()) / (double) span;
        if (rate < least != below) {
            below = rate < least;
            new RateEvent(below, rate, least).commit();
            log.warn(String.format(
                    Locale.ROOT,
                    below
                            ? "%.3f GB/s in the last %.1f s are below the %.3f that are required"
                            : "%.3f GB/s in the last %.1f s: back above the %.3f that are required",
                    rate,
                    span / 1e9,
                    least));
        }
    }
}
