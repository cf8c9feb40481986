package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.Channel;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;
import org.sluice.stats.ChannelCounters;
import org.sluice.stats.ChannelState;

/**
 * The receiving end of a channel. A chunk is taken, posted, arrives, is copied or unpacked to its destination where it arrived
 * elsewhere, is fenced where the GPU would not see it otherwise, and has landed, in order; a counter for each step says how far it is. Its slot is free again only after the last.
 */
final class InboundChannel extends ChannelEnd<ReceiveChannel> {
    final Window window;
    private final StallClock clock;
    private final int slots;
    private final @Nullable StagingRing staging;
    private final @Nullable UnpackQueue unpack;
    private final @Nullable InboundTransfer[] transfer;
    private final long[] offset;
    private final long[] ticket;
    private final boolean[] unseen;
    private final int mask;
    private long taken;
    private long posted;
    private long announced;
    private long arrived;
    private long landed;

    // chunks that the GPU sees only after a fence: the newest such, those that the fence under way covers, those that
    // it has covered
    private long unfenced;
    private long fencing;
    private long fenced;
    private boolean full;

    /** @param unpack where the transport scatters: the GPU's unpack queue; null otherwise */
    InboundChannel(
            int index,
            int generation,
            ReceiveChannel channel,
            ChannelCounters counters,
            Window window,
            StallClock clock,
            int most,
            @Nullable StagingRing staging,
            @Nullable UnpackQueue unpack) {
        super(index, generation, channel, counters);
        this.window = window;
        this.clock = clock;
        this.staging = staging;
        this.unpack = unpack;
        this.slots = staging == null ? most : Math.min(most, staging.slots);
        int ring = Integer.highestOneBit(Math.max(1, slots * 2 - 1));
        this.transfer = new InboundTransfer[ring];
        this.offset = new long[ring];
        this.ticket = new long[ring];
        this.unseen = new boolean[ring];
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

    /** Once it is full, only when a quarter is free again: grants go in batches then, and wake the sender once for each. */
    boolean hasRoom() {
        int limit = Math.min(slots, window.limit());
        long used = taken - landed;
        if (used >= limit) {
            full = true;
        } else if (used <= limit - limit / 4) {
            full = false;
        }
        return !full;
    }

    boolean isIdle() {
        return taken == landed;
    }

    boolean isCopying() {
        return landed < arrived;
    }

    /** Chunks granted and not yet here. */
    long awaited() {
        return posted - arrived;
    }

    void take(InboundTransfer t, long at, long now) {
        if (taken == landed) {
            window.started(now);
        }
        int slot = (int) taken & mask;
        transfer[slot] = t;
        offset[slot] = at;
        if (timing != null) {
            timing.began(taken, now);
        }
        taken++;
    }

    /**
     * Posts what is taken and tells {@code inbound} of each, which grants it. The very first chunk is told although the transport
     * may say "not now": some plugins (UCX) make a connection ready only when both ends are asked, and a sender is not before it
     * has a grant. @return how many chunks
     */
    int post(Inbound inbound, long now) throws TransportException {
        int count = 0;
        if (posted == arrived) {
            clock.owes(now);
        }
        while (posted < taken) {
            int slot = (int) posted & mask;
            InboundTransfer t = at(slot);
            long at = offset[slot];
            long bytes = t.chunkLength(at);
            boolean accepted = staging == null
                    ? channel.receive(registration(t.block), t.address(at), bytes, t.id, at)
                    : channel.receive(registration(staging), staging.address(posted), bytes, t.id, at);
            if (announced == posted && (accepted || posted == 0)) {
                inbound.posted(this, t, at);
                announced++;
            }
            if (!accepted) {
                break;
            }
            posted++;
            count++;
        }
        return count;
    }

    /** Takes finished receives off and starts their last step. @return how many */
    int arrive(Inbound inbound, long now) throws TransportException {
        int count = 0;
        while (arrived < posted && queueHasRoom()) {
            int state = channel.test();
            if (state == Channel.PENDING) {
                break;
            }
            int slot = (int) arrived & mask;
            InboundTransfer t = at(slot);
            long at = offset[slot];
            ticket[slot] = 0;
            unseen[slot] = false;
            if (state == Channel.DAMAGED) {
                counters.damagedChunk();
                inbound.takeBack(t, at);
                transfer[slot] = null;
            } else {
                finish(t, at, slot);
            }
            arrived++;
            count++;
        }
        if (count > 0) {
            clock.came(now);
        }
        return count;
    }

    /** Starts the last step of a chunk: unpack, copy, or fence. */
    private void finish(InboundTransfer t, long at, int slot) throws TransportException {
        ScatterList list = unpack == null ? null : channel.scattered();
        if (list != null && unpack != null) {
            list.check(t.chunkLength(at));
            ticket[slot] = unpack.enqueue(list, t.address(at), t.chunkLength(at));
        } else if (staging != null) {
            ticket[slot] = staging.queue.enqueue(t.address(at), staging.address(arrived), t.chunkLength(at));
        } else if (registration(t.block).needsFence()) {
            unseen[slot] = true;
            unfenced = arrived + 1;
        }
    }

    /** One fence at a time, which covers every chunk that had arrived when it began. */
    private void fence() throws TransportException {
        if (fencing > fenced) {
            if (!channel.fenced()) {
                return;
            }
            fenced = fencing;
        }
        if (unfenced > fenced) {
            int slot = (int) (unfenced - 1) & mask;
            InboundTransfer t = at(slot);
            long at = offset[slot];
            if (channel.fence(registration(t.block), t.address(at), t.chunkLength(at))) {
                fencing = arrived;
            }
        }
    }

    /** All channels of a GPU share its queues: what has come waits in its place while they are full. */
    private boolean queueHasRoom() {
        return unpack != null ? unpack.hasRoom() : staging == null || staging.queue.hasRoom();
    }

    /** Whether the channel owes chunks and is stuck. @param heardAt when the peer was heard last on whichever way */
    RailVerdict rail(long now, long heardAt) throws TransportException {
        return posted == arrived ? RailVerdict.MOVING : clock.look(channel, now, heardAt, window.nanosPerChunk());
    }

    /** For how long no byte has come although chunks are owed. */
    long silence(long now) {
        return clock.silence(now);
    }

    /** When its last byte came. */
    long lastSign() {
        return clock.cameAt();
    }

    /** Ends the chunks whose last step is done. @return how many */
    int land(Inbound inbound, long now) throws TransportException {
        if (unfenced > fenced) {
            fence();
        }
        int count = landDone(inbound, now);
        for (int n = 0; n < count; n++) {
            channel.consumed();
        }
        return count;
    }

    private int landDone(Inbound inbound, long now) {
        if (landed == arrived) {
            return 0;
        }
        long done = unpack != null ? unpack.completed() : staging != null ? staging.queue.completed() : Long.MAX_VALUE;
        int count = 0;
        while (landed < arrived) {
            int slot = (int) landed & mask;
            if (ticket[slot] > done || (unseen[slot] && landed >= fenced)) {
                break;
            }
            InboundTransfer t = transfer[slot];
            long at = offset[slot];
            transfer[slot] = null;
            if (t != null && timing != null) {
                timing.ended(landed, t.id, at, t.chunkLength(at), now);
            }
            landed++;
            count++;
            if (t != null) {
                counters.chunk(t.chunkLength(at));
                inbound.landed(t);
            }
        }
        if (count > 0) {
            window.landed(count, now);
        }
        return count;
    }

    /** Says, at the end of a turn, what the channel waits for. */
    void turned(long now) {
        if (timing != null) {
            ChannelState state = taken == landed
                    ? ChannelState.IDLE
                    : posted < taken
                            ? ChannelState.NO_SLOT
                            : arrived < posted ? ChannelState.SOCKET : ChannelState.STAGING;
            timing.turned(state, (int) (taken - landed), Math.min(slots, window.limit()), now);
        }
    }

    /**
     * Closes the channel <em>first</em>, and only then takes back the chunks that have not arrived: no late byte can reach a
     * buffer that another channel fills. What has arrived lands, unless the GPU does not see it yet.
     */
    void abandon(Inbound inbound, long now) {
        close();
        settle(inbound, now);
    }

    /** The second half of {@link #abandon}, once the close is through. */
    void settle(Inbound inbound, long now) {
        if (isIdle() || !isClosed()) {
            return;
        }
        landDone(inbound, now);
        while (landed < taken) {
            taken--;
            int slot = (int) taken & mask;
            InboundTransfer t = transfer[slot];
            transfer[slot] = null;
            if (t != null) {
                counters.retriedChunk();
                inbound.lost(t, offset[slot]);
            }
        }
        posted = taken;
        arrived = taken;
    }

    /** Waits for copies and unpacks first: they read staging slots, or bounce pages that a plugin takes back when it closes. */
    @Override
    void close() {
        long last = 0;
        for (long n = landed; n < arrived; n++) {
            last = Math.max(last, ticket[(int) n & mask]);
        }
        try {
            if (unpack != null) {
                unpack.flush();
                CopyWait.await(last, unpack::completed);
            } else if (staging != null) {
                CopyWait.await(last, staging.queue::completed);
            }
        } finally {
            super.close();
        }
    }

    private InboundTransfer at(int slot) {
        InboundTransfer t = transfer[slot];
        if (t == null) {
            throw new IllegalStateException("empty slot " + slot);
        }
        return t;
    }
}
