package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.Channel;
import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;
import org.sluice.stats.ChannelCounters;
import org.sluice.stats.ChannelState;

/**
 * The sending end of a channel. A chunk is taken, copied to a staging slot where the transport cannot reach the GPU's memory,
 * posted, and sent, in order; three counters say how far each step is.
 */
final class OutboundChannel extends ChannelEnd<SendChannel> {
    private final int window;
    private final AnswerClock clock;
    private final @Nullable StagingRing staging;
    private final OutboundTransfer[] transfer;
    private final long[] offset;
    private final long[] ticket;
    private final int mask;
    private long taken;
    private long posted;
    private long sent;
    private boolean refused;
    private long lastSign;

    OutboundChannel(
            int index,
            int generation,
            SendChannel channel,
            ChannelCounters counters,
            int window,
            AnswerClock clock,
            @Nullable StagingRing staging) {
        super(index, generation, channel, counters);
        this.clock = clock;
        this.staging = staging;
        this.window = staging == null ? window : Math.min(window, staging.slots);
        int ring = Integer.highestOneBit(Math.max(1, this.window * 2 - 1));
        this.transfer = new OutboundTransfer[ring];
        this.offset = new long[ring];
        this.ticket = new long[ring];
        this.mask = ring - 1;
        if (timing != null) {
            timing.open(ring);
        }
    }

    /** Makes the block known to the transport ahead of its first use; one that only sees staging slots need not know. */
    void register(MemoryBlock block) throws TransportException {
        if (staging == null) {
            registration(block);
        }
    }

    boolean hasRoom() {
        return taken - sent < window && (staging == null || staging.queue.hasRoom());
    }

    boolean isIdle() {
        return taken == sent;
    }

    boolean isCopying() {
        return staging != null && posted < taken;
    }

    void take(OutboundTransfer t, long at, long now) {
        int slot = (int) taken & mask;
        transfer[slot] = t;
        offset[slot] = at;
        ticket[slot] =
                staging == null ? 0 : staging.queue.enqueue(staging.address(taken), t.address(at), t.chunkLength(at));
        if (timing != null) {
            timing.began(taken, now);
        }
        taken++;
    }

    /** Posts what is ready. @return how many chunks */
    int post(long now) throws TransportException {
        int count = 0;
        long copied = staging == null ? 0 : staging.queue.completed();
        refused = false;
        while (posted < taken) {
            int slot = (int) posted & mask;
            OutboundTransfer t = transfer[slot];
            long at = offset[slot];
            boolean accepted;
            if (staging == null) {
                accepted = channel.send(registration(t.block), t.address(at), t.chunkLength(at), t.id, at);
            } else {
                accepted = ticket[slot] <= copied
                        && channel.send(registration(staging), staging.address(posted), t.chunkLength(at), t.id, at);
            }
            if (!accepted) {
                refused = ticket[slot] <= copied;
                break;
            }
            posted++;
            count++;
        }
        if (count > 0) {
            clock.moved(now);
        }
        return count;
    }

    /** Takes finished sends off and tells {@code outbound} of each. @return how many */
    int reap(Outbound outbound, long now) throws TransportException {
        int count = 0;
        while (sent < posted && channel.test() != Channel.PENDING) {
            int slot = (int) sent & mask;
            OutboundTransfer t = transfer[slot];
            counters.chunk(t.chunkLength(offset[slot]));
            if (timing != null) {
                timing.ended(sent, t.id, offset[slot], t.chunkLength(offset[slot]), now);
            }
            sent++;
            count++;
            outbound.sent(t);
        }
        if (count > 0) {
            clock.moved(now);
        }
        return count;
    }

    /** Whether the rail has died. @param heardAt when the peer was heard last on whichever way */
    RailVerdict rail(long now, long heardAt) throws TransportException {
        return clock.look(channel, now, heardAt);
    }

    /** For how long what was sent has not been answered. */
    long unanswered() {
        return clock.unanswered();
    }

    /** When the rail of a lost channel gave its last sign of life. */
    long lastSign() {
        return lastSign;
    }

    /** Says, at the end of a turn, what the channel waits for. @param awaitsGrants whether transfers are not over */
    void turned(boolean awaitsGrants, long now) {
        if (timing != null) {
            ChannelState state = refused
                    ? ChannelState.NO_SLOT
                    : sent < posted
                            ? ChannelState.SOCKET
                            : posted < taken
                                    ? ChannelState.STAGING
                                    : awaitsGrants ? ChannelState.NO_GRANT : ChannelState.IDLE;
            timing.turned(state, (int) (taken - sent), window, now);
        }
    }

    /** Closes the channel and gives its unfinished chunks up: the receiver will grant them elsewhere. */
    void abandon(Outbound outbound, long now) {
        lastSign = clock.silentSince(now);
        close();
        settle(outbound);
    }

    /** The second half of {@link #abandon}, once the close is through. */
    void settle(Outbound outbound) {
        if (isIdle() || !isClosed()) {
            return;
        }
        posted = taken;
        while (sent < taken) {
            OutboundTransfer t = transfer[(int) sent++ & mask];
            counters.retriedChunk();
            outbound.abandoned(t);
        }
    }

    /** Waits for copies to staging slots too: they read memory that is its owner's again once its transfer has ended. */
    @Override
    void close() {
        try {
            if (staging != null && posted < taken) {
                CopyWait.await(ticket[(int) (taken - 1) & mask], staging.queue::completed);
            }
        } finally {
            super.close();
        }
    }
}
