package org.sluice.transfer;

import java.util.concurrent.TimeUnit;

/**
 * What kinds of transfers a link has had lately, in one direction. Only for those that what is granted ahead would hold up is it worth
 * granting less ahead: that costs a wake-up of both sides for each few chunks.
 */
final class Newcomers {
    /** Programs send what they send again and again; one that has not for so long pays for its first with a window's time. */
    private static final long MEMORY_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final long shortBytes;
    private final long briefBytes;
    private boolean hadShort;
    private boolean hadBrief;
    private long shortAt;
    private long briefAt;

    /**
     * @param turnBytes a transfer of so many bytes at the most is short: it is over before its turn is
     * @param windowBytes what a channel may have granted ahead; to wait for that at most doubles the time of a transfer that is longer
     */
    Newcomers(long turnBytes, long windowBytes) {
        this.shortBytes = turnBytes;
        this.briefBytes = windowBytes;
    }

    /** A transfer has come. @param now {@link System#nanoTime} */
    void came(long length, long now) {
        if (length <= shortBytes) {
            hadShort = true;
            shortAt = now;
        }
        if (length < briefBytes) {
            hadBrief = true;
            briefAt = now;
        }
    }

    /** Whether short ones come. */
    boolean areShort(long now) {
        return hadShort && now - shortAt < MEMORY_NANOS;
    }

    /** Whether ones come that are shorter than a window. */
    boolean areBrief(long now) {
        return hadBrief && now - briefAt < MEMORY_NANOS;
    }
}
