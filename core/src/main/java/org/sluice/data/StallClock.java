package org.sluice.data;

import org.sluice.spi.Channel;
import org.sluice.spi.TransportException;

/**
 * Tells a channel that is stuck from one that is slow, and a dead rail from a peer that does nothing: a channel counts as stalled
 * when it owes chunks, no byte of them has come for the limit, and the peer was heard meanwhile on another way. A NIC that was
 * taken down gives no error, and neither does a switch that drops packets.
 */
final class StallClock {
    /** What a look at a channel says. */
    enum Verdict {
        /** Something came, or not enough time has passed to say. */
        MOVING,
        /** Nothing came for half the limit: whether the peer is alive is worth knowing. */
        SUSPECT,
        STALLED
    }

    /** Looks while a channel is suspect, in one limit. */
    private static final int LOOKS = 8;

    /** Chunks' time that a channel whose transport does not count bytes may be silent: pace varies, a factor of this does not. */
    private static final int CHUNKS_OF_SILENCE = 8;

    private final long limit;
    private long movedAt;
    private long lookedAt;
    private boolean sampled;
    private long sample;
    private Verdict verdict = Verdict.MOVING;

    /** @param limit nanoseconds; 0 for a clock that never calls anything stalled */
    StallClock(long limit) {
        this.limit = limit;
    }

    /** A chunk came, or the channel owed none until now. */
    void moved(long now) {
        movedAt = now;
        sampled = false;
        verdict = Verdict.MOVING;
    }

    /**
     * Looks at a channel that owes chunks.
     *
     * @param heardAt when the peer was heard last, on whichever way
     * @param nanosPerChunk the channel's pace, 0 where unknown
     */
    Verdict look(Channel channel, long now, long heardAt, double nanosPerChunk) throws TransportException {
        long silent = now - movedAt;
        if (limit == 0 || silent < limit / 2 || now - lookedAt < limit / LOOKS) {
            return verdict;
        }
        lookedAt = now;
        long progress = channel.progress();
        if (sampled && progress != sample) {
            sample = progress;
            movedAt = now;
            verdict = Verdict.MOVING;
            return verdict;
        }
        sampled = true;
        sample = progress;
        long patience = limit;
        if (progress == Channel.UNKNOWN_PROGRESS) {
            patience = nanosPerChunk == 0
                    ? limit * CHUNKS_OF_SILENCE
                    : Math.max(limit, (long) (nanosPerChunk * CHUNKS_OF_SILENCE));
        }
        // heard in the second half of the silence: an answer to the probe, or bytes of another channel
        verdict = silent >= patience && heardAt - movedAt >= limit / 2 ? Verdict.STALLED : Verdict.SUSPECT;
        return verdict;
    }

    /** How long nothing has come. */
    long silence(long now) {
        return now - movedAt;
    }
}
