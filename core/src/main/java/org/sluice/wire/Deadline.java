package org.sluice.wire;

import java.time.Duration;

/** A point in time that a phase must not pass. */
public final class Deadline {
    private final long atNanos;
    private final Duration given;

    private Deadline(Duration given) {
        this.given = given;
        this.atNanos = System.nanoTime() + given.toNanos();
    }

    public static Deadline in(Duration time) {
        return new Deadline(time);
    }

    public boolean passed() {
        return System.nanoTime() - atNanos >= 0;
    }

    /** At least 1, since 0 means "for ever" to a socket. */
    public int remainingMillis() {
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, (atNanos - System.nanoTime()) / 1_000_000));
    }

    /** The whole time given, for messages: {@code 30 s}, {@code 500 ms}. */
    public String text() {
        long ms = given.toMillis();
        return ms % 1000 == 0 ? ms / 1000 + " s" : ms + " ms";
    }
}
