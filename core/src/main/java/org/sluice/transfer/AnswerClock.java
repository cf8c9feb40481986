package org.sluice.transfer;

import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;

/**
 * The sender's judgement of a rail: it is dead when what was put on the wire has been unanswered for the limit, and the peer was
 * heard meanwhile on another way. The transport tells (for tcp the peer's kernel answers, not its threads), so that neither a
 * thread without a CPU nor one that does not read looks like a dead rail, and one that is slow does not either.
 */
final class AnswerClock {
    private final long limit;
    private long movedAt;
    private long lookedAt;
    private long unanswered;
    private boolean mayOwe;
    private RailVerdict verdict = RailVerdict.MOVING;

    /** @param limit nanoseconds; 0 for a clock that never calls anything dead */
    AnswerClock(long limit) {
        this.limit = limit;
    }

    /** A chunk was posted or sent. */
    void moved(long now) {
        movedAt = now;
        unanswered = 0;
        mayOwe = true;
    }

    /** Everything that was sent has landed: the peer has nothing to answer until more is. */
    void settled() {
        mayOwe = false;
        unanswered = 0;
        verdict = RailVerdict.MOVING;
    }

    /**
     * Looks at a channel of a link with transfers under way.
     *
     * @param heardAt when the peer was heard last, on whichever way
     */
    RailVerdict look(SendChannel channel, long now, long heardAt) throws TransportException {
        // chunks that move say nothing for long, since the kernel takes some more for a dead rail; they save the look
        if (limit == 0 || !mayOwe || now - movedAt < limit / 2) {
            return RailVerdict.MOVING;
        }
        if (now - lookedAt < limit / StallClock.LOOKS) {
            return verdict;
        }
        lookedAt = now;
        unanswered = channel.unanswered();
        boolean heardSince = heardAt - (now - unanswered) >= limit / 2;
        verdict = unanswered < limit / 2
                ? RailVerdict.MOVING
                : unanswered >= limit && heardSince ? RailVerdict.DEAD : RailVerdict.SUSPECT;
        return verdict;
    }

    /** For how long there has been no answer, at the last look. */
    long unanswered() {
        return unanswered;
    }

    /** Since when the rail has given no sign of life; now, as far as is known. */
    long silentSince(long now) {
        return unanswered == 0 ? now : lookedAt - unanswered;
    }
}
