package org.sluice.cli.watch;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Optional;

/** Notices that a run has fallen below a rate for some seconds, and that it is back. One thread. */
final class RateGuard {
    /** What a rate is taken over: long enough for a hiccup not to count, short enough to be told within three seconds. */
    private static final double SECONDS = 2;

    private final double least;
    private final Deque<Reading> recent = new ArrayDeque<>();
    private boolean below;

    /** @param least in 10^9 bytes a second; 0 for any */
    RateGuard(double least) {
        this.least = least;
    }

    /** Whether the rate is below the least now. */
    boolean isBelow() {
        return below;
    }

    /** @return what to say, where something has changed */
    Optional<String> look(Reading now) {
        if (least <= 0 || (recent.isEmpty() && now.bytes() == 0)) {
            return Optional.empty(); // nothing has begun to move
        }
        recent.add(now);
        while (recent.size() > 2 && now.seconds() - second().seconds() >= SECONDS) {
            recent.removeFirst();
        }
        Reading then = recent.getFirst();
        double span = now.seconds() - then.seconds();
        if (span < SECONDS) {
            return Optional.empty();
        }
        double rate = (now.bytes() - then.bytes()) / span / 1e9;
        if (rate < least == below) {
            return Optional.empty();
        }
        below = rate < least;
        new RateEvent(below, rate, least).commit();
        return Optional.of(String.format(
                Locale.ROOT,
                below
                        ? "BELOW --min-rate: %.3f GB/s in the last %.0f s, %.3f are asked for"
                        : "back above --min-rate: %.3f GB/s in the last %.0f s, %.3f are asked for",
                rate,
                span,
                least));
    }

    private Reading second() {
        return recent.stream().skip(1).findFirst().orElseThrow();
    }
}
