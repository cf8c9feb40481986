package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.Channel;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;
import org.sluice.stats.ChannelCounters;
import org.sluice.stats.ChannelState;

/**
 * The receiving end of a channel. A chunk is taken, posted, arrives, is copied, unpacked or put to its pieces where it arrived elsewhere,
 * is fenced where the GPU would not see it otherwise, and has landed, in order; a counter for each step says how far it is. Its slot is free
 * again only after the last.
 */
final class InboundChannel extends ChannelEnd<ReceiveChannel> {
    final Window window;
    private final StallClock clock;
    private final int slots;
    private final @Nullable StagingShare staging;
    private final Placing placing;
    private final ChunkRing<InboundTransfer> chunks;
    private long taken;
    /** The chunk that was granted last while nothing else was under way, and when. */
    private long alone = -1;

    private long aloneAt;
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
    /** Whether other links have filled a queue of the GPU's that its next chunk, or what has come, needs. */
    private boolean heldUp;

    /**
     * @param unpack where the transport scatters: the GPU's unpack queue; null otherwise
     * @param takesLists whether the transport receives into lists of pieces by itself
     */
    InboundChannel(
            int index,
            int generation,
            ReceiveChannel channel,
            ChannelCounters counters,
            Window window,
            StallClock clock,
            int most,
            @Nullable StagingShare staging,
            @Nullable UnpackQueue unpack,
            boolean takesLists,
            Packing packing) {
        super(index, generation, channel, counters);
        this.window = window;
        this.clock = clock;
        this.staging = staging;
        this.slots = staging == null ? most : Math.min(most, staging.perChannel);
        this.chunks = new ChunkRing<>(slots);
        this.placing = new Placing(chunks, staging, unpack, takesLists, packing);
        if (timing != null) {
            timing.open(chunks.size());
        }
    }

    /** Makes the block known to the transport ahead of its first use; one that only sees staging slots need not know. */
    void register(MemoryBlock block) throws TransportException {
        if (staging == null) {
            registration(block);
        }
    }

    /**
     * Once it is full, only when a quarter is free again: grants go in batches then, and wake the sender once for each.
     *
     * @param shared whether other transfers wait for their turn
     */
    boolean hasRoom(boolean shared) {
        return hasRoom(shared ? window.sharedLimit() : window.limit());
    }

    /** As {@link #hasRoom(boolean)}, where little is to wait on it. */
    boolean hasQuickRoom() {
        return hasRoom(window.quickLimit());
    }

    private boolean hasRoom(int most) {
        int limit = Math.min(slots, most);
        long used = taken - landed;
        if (used >= limit) {
            full = true;
        } else if (used <= limit - limit / 4) {
            full = false;
        }
        heldUp |= !placing.queueHasRoom();
        return !full && placing.hasRoom();
    }

    /** Whether a pinned slot is there for a chunk, where it needs one. */
    boolean maySlot() {
        return placing.maySlot();
    }

    boolean isIdle() {
        return taken == landed;
    }

    boolean isCopying() {
        return heldUp || landed < arrived;
    }

    /** Whether the transport has more of it than it rings for one by one. */
    boolean isBatching() {
        return posted - arrived > 1 || posted < taken;
    }

    /** Chunks granted and not yet here. */
    long awaited() {
        return posted - arrived;
    }

    void take(InboundTransfer t, long at, long bytes, long now) {
        if (taken == landed) {
            window.started(now);
            aloneAt = now;
            alone = taken;
        }
        if (chunks.makeRoom(landed, taken) && timing != null) {
            timing.grow(chunks.size(), landed, taken);
        }
        int slot = chunks.slot(taken);
        chunks.set(slot, t, at, bytes);
        placing.choose(slot, t, at, bytes);
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
            int slot = chunks.slot(posted);
            InboundTransfer t = chunks.get(slot);
            boolean accepted = post(slot, t);
            if (announced == posted && (accepted || posted == 0)) {
                inbound.posted(this, t, chunks.offset[slot], chunks.bytes[slot]);
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

    private boolean post(int slot, InboundTransfer t) throws TransportException {
        long at = chunks.offset[slot];
        long bytes = chunks.bytes[slot];
        long place = chunks.place[slot];
        return switch (chunks.way[slot]) {
            case ChunkRing.DIRECT, ChunkRing.GATHERED ->
                channel.receive(registration(t.map.blockAt(at)), place, bytes, t.id, at);
            case ChunkRing.LISTED ->
                channel.receivePieces(registrations(t.map, at), place, chunks.pieces[slot], bytes, t.id, at);
            default -> channel.receive(slotRegistration(slot), place, bytes, t.id, at);
        };
    }

    private Registration slotRegistration(int slot) throws TransportException {
        int extent = placing.extent(slot);
        return registrationOfSlots(extent, placing.extentMemory(extent));
    }

    /** Takes finished receives off and starts their next step. @return how many */
    int arrive(Inbound inbound, long now) throws TransportException {
        int count = 0;
        heldUp = false;
        while (arrived < posted) {
            if (!placing.queueHasRoom(chunks.slot(arrived))) {
                heldUp = true;
                break;
            }
            int state = channel.test();
            if (state == Channel.PENDING) {
                break;
            }
            int slot = chunks.slot(arrived);
            InboundTransfer t = chunks.get(slot);
            if (state == Channel.DAMAGED) {
                counters.damagedChunk();
                inbound.takeBack(t, chunks.offset[slot], chunks.bytes[slot]);
                chunks.clear(slot);
            } else if (state == Channel.VOID) {
                chunks.clear(slot);
                inbound.voided(t);
            } else {
                bring(slot, t);
            }
            if (arrived == alone) {
                window.came(now - aloneAt);
            }
            arrived++;
            count++;
        }
        if (count > 0) {
            clock.came(now);
        }
        return count;
    }

    private void bring(int slot, InboundTransfer t) throws TransportException {
        boolean isThere = placing.begin(channel, slot, t);
        if (isThere && registration(t.map.blockAt(chunks.offset[slot])).needsFence()) {
            chunks.unseen[slot] = true;
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
            int slot = chunks.slot(unfenced - 1);
            MemoryBlock block = chunks.get(slot).map.blockAt(chunks.offset[slot]);
            if (channel.fence(registration(block), chunks.place[slot], chunks.bytes[slot])) {
                fencing = arrived;
            }
        }
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
        placing.goOn(landed, arrived);
        int count = landDone(inbound, now);
        for (int n = 0; n < count; n++) {
            channel.consumed();
        }
        return count;
    }

    /** Has the GPU bring what has come in this turn to its pieces. */
    void flush() {
        placing.flush();
    }

    private int landDone(Inbound inbound, long now) {
        int count = 0;
        while (landed < arrived) {
            int slot = chunks.slot(landed);
            InboundTransfer t = chunks.peek(slot);
            if (t != null && (!placing.isInPlace(slot) || (chunks.unseen[slot] && landed >= fenced))) {
                break;
            }
            long bytes = chunks.bytes[slot];
            chunks.clear(slot);
            placing.free(slot);
            if (t != null && timing != null) {
                timing.ended(landed, t.id, chunks.offset[slot], bytes, now);
            }
            landed++;
            count++;
            if (t != null) {
                counters.chunk(bytes);
                inbound.landed(t, bytes);
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
        placing.close();
        while (landed < taken) {
            taken--;
            int slot = chunks.slot(taken);
            InboundTransfer t = chunks.peek(slot);
            chunks.clear(slot);
            placing.giveBack(slot);
            if (t != null) {
                counters.retriedChunk();
                inbound.lost(t, chunks.offset[slot], chunks.bytes[slot]);
            }
        }
        posted = taken;
        arrived = taken;
    }

    /** Whether a chunk of the transfer is under way on it. Rare: looks at all. */
    boolean carries(InboundTransfer t) {
        for (long n = landed; n < taken; n++) {
            if (chunks.peek(chunks.slot(n)) == t) {
                return true;
            }
        }
        return false;
    }

    /** What lists and slots were needed for is over, in whatever way. */
    void free() {
        for (long n = landed; n < taken; n++) {
            placing.giveBack(chunks.slot(n));
        }
        placing.close();
    }

    /** Waits for copies and unpacks first: they read slots, or bounce pages that a plugin takes back when it closes. */
    @Override
    void close() {
        try {
            placing.flushUnpack();
            for (long n = landed; n < arrived; n++) {
                int slot = chunks.slot(n);
                InboundTransfer t = chunks.peek(slot);
                if (t != null) {
                    placing.await(slot, t);
                }
            }
        } finally {
            super.close();
            if (isIdle()) {
                placing.close();
            }
        }
    }
}
