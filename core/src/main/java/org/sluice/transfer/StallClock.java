package org.sluice.transfer;

import org.sluice.spi.Channel;
import org.sluice.spi.CpuWaits;
import org.sluice.spi.TransportException;

/**
 * The receiver's judgement of a channel that is stuck: it owes chunks, no byte of them has come for a long time, and the peer was
 * heard meanwhile on another way. What has not come may have been lost by the rail, or not have been sent by a peer whose threads
 * get no CPU; only the sender knows, so that its {@link AnswerClock} judges first, and this one is the last resort.
 */
final class StallClock {
    /** How often a channel is looked at within the limit. */
    static final int LOOKS = 8;

    /** Limits that a channel may be silent while its sender, who can tell more, finds nothing wrong. */
    private static final int LIMITS_OF_SILENCE = 8;

    /** No thread of a process that answers is without a CPU for so long: the last resort is not put off beyond it. */
    private static final long LONGEST_NANOS = 10_000_000_000L;

    /** Chunks' time that a channel whose transport does not count bytes may be silent: pace varies, a factor of this does not. */
    private static final int CHUNKS_OF_SILENCE = 8;

    /**
     * How long a live rail may be silent whose sender cannot tell (a plugin's): TCP repeats a lost segment after 200 ms at the least
     * (TCP_RTO_MIN), then after twice as long each time; four such losses in a row are 200 * (1 + 2 + 4 + 8) ms.
     */
    private static final long BLIND_NANOS = 3_000_000_000L;

    /** The agent comes round every 100 ms at the least: a look that is later than this was kept from coming. */
    private static final long LATE_NANOS = 200_000_000;

    private final long limit;
    private final long patience;
    private final CpuWaits waits;
    private long movedAt;
    private long cameAt;
    private long lookedAt;
    private boolean sampled;
    private long sample;
    private RailVerdict verdict = RailVerdict.MOVING;

    /** @param limit nanoseconds; 0 for a clock that never calls anything stalled */
    StallClock(long limit) {
        this(limit, CpuWaits.ofProcess());
    }

    StallClock(long limit, CpuWaits waits) {
        this.waits = waits;
        this.limit = limit;
        this.patience = Math.max(limit, Math.min(limit * LIMITS_OF_SILENCE, LONGEST_NANOS));
    }

    /** A chunk came. */
    void came(long now) {
        cameAt = now;
        owes(now);
    }

    /** The channel owed none until now. */
    void owes(long now) {
        movedAt = now;
        lookedAt = now;
        sampled = false;
        verdict = RailVerdict.MOVING;
    }

    /**
     * Looks at a channel that owes chunks.
     *
     * @param heardAt when the peer was heard last, on whichever way
     * @param nanosPerChunk the channel's pace, 0 where unknown
     */
    RailVerdict look(Channel channel, long now, long heardAt, double nanosPerChunk) throws TransportException {
        long sinceLook = now - lookedAt;
        if (limit == 0 || sinceLook < limit / LOOKS) {
            return verdict;
        }
        lookedAt = now;
        if (sinceLook > Math.max(LATE_NANOS, limit / 2)) {
            // this thread did not get to look (no CPU, a stop signal): time in which nobody was watching says nothing
            movedAt += sinceLook;
            cameAt = Math.min(now, cameAt + sinceLook);
        }
        long silent = now - movedAt;
        if (silent < limit / 2) {
            return verdict;
        }
        long progress = channel.progress();
        if (sampled && progress != sample) {
            sample = progress;
            movedAt = now;
            cameAt = now;
            verdict = RailVerdict.MOVING;
            return verdict;
        }
        boolean blind = progress == Channel.UNKNOWN_PROGRESS;
        if (!sampled && blind) {
            waits.begin();
        }
        sampled = true;
        sample = progress;
        long limits = blind ? blindLimit(silent, nanosPerChunk) : patience;
        // heard in the second half of the silence: an answer to the probe, or bytes of another channel
        verdict = silent >= limits && heardAt - movedAt >= limits / 2 ? RailVerdict.DEAD : RailVerdict.SUSPECT;
        return verdict;
    }

    /**
     * Nobody tells of a byte that moves or of one that is not answered: the pace that the channel had and TCP's own patience bound what
     * silence may mean, and time in which threads of this process got no CPU is none.
     */
    private long blindLimit(long silent, double nanosPerChunk) {
        long least = Math.max(Math.max(patience, BLIND_NANOS), (long) (nanosPerChunk * CHUNKS_OF_SILENCE));
        // the files of all threads are read only when it matters
        return silent < least ? least : Math.max(least, Math.min(least + waits.longest(), LONGEST_NANOS));
    }

    /** When the last byte is known to have come; while nobody watched, the time stood still. */
    long cameAt() {
        return cameAt;
    }

    /** How long nothing has come although it was owed. */
    long silence(long now) {
        return now - movedAt;
    }
}
