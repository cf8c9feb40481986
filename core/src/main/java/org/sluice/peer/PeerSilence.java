package org.sluice.peer;

/**
 * Tells how long a peer has been silent while this side could hear. A process that was stopped, or whose machine was suspended, has
 * heard nothing either, and its peer may have slept with it: after such a gap the peer gets its timeout once more, once until it is
 * heard again. Agent thread only; times by {@code System.nanoTime}.
 */
final class PeerSilence {
    private final long timeoutNanos;
    private long turnedAt;
    private long awakeSince;

    PeerSilence(long timeoutNanos, long now) {
        this.timeoutNanos = timeoutNanos;
        this.turnedAt = now;
        this.awakeSince = now;
    }

    /** This side runs. @param heardAt when the peer said its last word */
    void turn(long now, long heardAt) {
        if (now - turnedAt > timeoutNanos / 2 && heardAt - awakeSince >= 0) {
            awakeSince = now;
        }
        turnedAt = now;
    }

    boolean isTooLong(long now, long heardAt) {
        return now - heardAt > timeoutNanos && now - awakeSince > timeoutNanos;
    }
}
