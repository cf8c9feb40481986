package org.sluice.peer;

/**
 * Tells how long a peer has been silent while this side could hear. A process that was stopped, or whose machine was suspended, has
 * heard nothing either, and its peer may have slept with it: after such a gap the peer gets its timeout once more, once until it is
 * heard again. A peer that has not said its first word has longer: it has agreed to the link, and may have a thousand others to begin.
 * Agent thread only; times by {@code System.nanoTime}.
 */
final class PeerSilence {
    private final long timeoutNanos;
    private final long firstNanos;
    private boolean heard;
    private long expectedAt;
    private long awakeSince;

    /** @param firstNanos for the first word, at least the other */
    PeerSilence(long timeoutNanos, long firstNanos, long now) {
        this.timeoutNanos = timeoutNanos;
        this.firstNanos = firstNanos;
        this.expectedAt = now;
        this.awakeSince = now;
    }

    /** Whether this side has not run for so long that it matters when the peer was heard. */
    boolean mayHaveSlept(long now) {
        return now - expectedAt > timeoutNanos / 2;
    }

    /** The peer has said its first word. Idempotent. */
    void heard() {
        heard = true;
    }

    private long limitNanos() {
        return heard ? timeoutNanos : firstNanos;
    }

    /** This side runs. @param heardAt when the peer said its last word */
    void turn(long now, long heardAt) {
        if (mayHaveSlept(now) && heardAt - awakeSince >= 0) {
            awakeSince = now;
        }
        expectedAt = now;
    }

    /** It does not run again before then, unless something comes. */
    void rests(long until) {
        expectedAt = until;
    }

    /** For how long it cannot be too long yet. */
    long nanosLeft(long now, long heardAt) {
        return Math.max(0, limitNanos() - Math.min(now - heardAt, now - awakeSince));
    }

    boolean isTooLong(long now, long heardAt) {
        return now - heardAt > limitNanos() && now - awakeSince > limitNanos();
    }
}
