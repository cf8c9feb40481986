package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.Channel;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.ScatterList;
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
    private final @Nullable StagingRing staging;
    private final @Nullable UnpackQueue unpack;
    private final boolean takesLists;
    private final Packing packing;
    private final ChunkRing<InboundTransfer> chunks;
    private long taken;
    /** The chunk that was granted last while nothing else was under way, and when. */
    private long alone = -1;

    private long aloneAt;
    private long posted;
    private long announced;
    private long arrived;
    /** Chunks whose bytes have left bounce pages for a packed slot and go on from there. */
    private long gathered;

    private long landed;

    // chunks that the GPU sees only after a fence: the newest such, those that the fence under way covers, those that
    // it has covered
    private long unfenced;
    private long fencing;
    private long fenced;
    private boolean full;

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
            @Nullable StagingRing staging,
            @Nullable UnpackQueue unpack,
            boolean takesLists,
            Packing packing) {
        super(index, generation, channel, counters);
        this.window = window;
        this.clock = clock;
        this.staging = staging;
        this.unpack = unpack;
        this.takesLists = takesLists;
        this.packing = packing;
        this.slots = staging == null ? most : Math.min(most, staging.slots);
        this.chunks = new ChunkRing<>(slots);
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

    /** As {@link #hasRoom(boolean)}, for at most so many chunks. */
    boolean hasRoom(int most) {
        int limit = Math.min(slots, Math.min(most, window.limit()));
        long used = taken - landed;
        if (used >= limit) {
            full = true;
        } else if (used <= limit - limit / 4) {
            full = false;
        }
        return !full && packing.hasRoom();
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

    void take(InboundTransfer t, long at, long bytes, long now) {
        if (taken == landed) {
            window.started(now);
            aloneAt = now;
            alone = taken;
        }
        int slot = chunks.slot(taken);
        chunks.set(slot, t, at, bytes);
        long address = t.map.address(at, bytes);
        if (address >= 0) {
            takePiece(slot, address);
        } else {
            takeList(slot, t, at, bytes);
        }
        if (timing != null) {
            timing.began(taken, now);
        }
        taken++;
    }

    private void takePiece(int slot, long address) {
        chunks.way[slot] = unpack != null ? ChunkRing.GATHERED : staging != null ? ChunkRing.COPIED : ChunkRing.DIRECT;
        chunks.place[slot] = staging == null ? address : staging.address(taken);
    }

    private void takeList(int slot, InboundTransfer t, long at, long bytes) {
        long list = packing.lists().room();
        int pieces = t.map.list(at, bytes, list);
        if (pieces == 1) {
            takePiece(slot, PieceMap.vectorAddress(list, 0));
        } else if (staging == null && unpack == null && takesLists) {
            chunks.way[slot] = ChunkRing.LISTED;
            chunks.place[slot] = list;
            chunks.pieces[slot] = pieces;
            chunks.listEnd[slot] = packing.lists().keep(pieces);
        } else {
            chunks.way[slot] = unpack != null ? ChunkRing.GATHERED_PACKED : ChunkRing.PACKED;
            chunks.place[slot] = staging == null ? packing.takeSlot() : staging.address(taken);
        }
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
            default -> channel.receive(slotRegistration(), place, bytes, t.id, at);
        };
    }

    private Registration slotRegistration() throws TransportException {
        return registrationOfSlots(staging == null ? packing.slots() : staging.memory);
    }

    /** Takes finished receives off and starts their next step. @return how many */
    int arrive(Inbound inbound, long now) throws TransportException {
        int count = 0;
        while (arrived < posted && queueHasRoom(chunks.way[chunks.slot(arrived)])) {
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
                move(slot, t);
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

    /** Starts what brings a chunk that has come to its place. */
    private void move(int slot, InboundTransfer t) throws TransportException {
        long bytes = chunks.bytes[slot];
        byte way = chunks.way[slot];
        if (unpack != null) {
            ScatterList list = channel.scattered();
            if (list == null) {
                chunks.ticket[slot] = 0; // such a NIC fills host memory directly: nothing is to be gathered
            } else {
                list.check(bytes);
                chunks.ticket[slot] = unpack.enqueue(list, chunks.place[slot], bytes);
            }
        } else if (way == ChunkRing.COPIED && staging != null) {
            chunks.ticket[slot] =
                    staging.queue.enqueue(addressOf(t, chunks.offset[slot], bytes), chunks.place[slot], bytes);
        } else if (way == ChunkRing.PACKED) {
            scatter(slot, t);
        } else if (registration(t.map.blockAt(chunks.offset[slot])).needsFence()) {
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

    /** Where a chunk that lies in one piece, or in neighbours, is to go. */
    private long addressOf(InboundTransfer t, long at, long bytes) {
        long address = t.map.address(at, bytes);
        if (address < 0) {
            long list = packing.lists().room();
            int one = t.map.list(at, bytes, list);
            address = PieceMap.vectorAddress(list, one - 1);
        }
        return address;
    }

    /** From its slot to its pieces. */
    private void scatter(int slot, InboundTransfer t) {
        long list = packing.lists().room();
        int pieces = t.map.list(chunks.offset[slot], chunks.bytes[slot], list);
        chunks.ticket[slot] = packing.queue().enqueue(list, pieces, chunks.place[slot], chunks.bytes[slot]);
        chunks.way[slot] = ChunkRing.PACKED;
    }

    /** All channels of a GPU share its queues: what has come waits in its place while they are full. */
    private boolean queueHasRoom(byte way) {
        return switch (way) {
            case ChunkRing.GATHERED, ChunkRing.GATHERED_PACKED -> unpack == null || unpack.hasRoom();
            case ChunkRing.COPIED -> staging == null || staging.queue.hasRoom();
            case ChunkRing.PACKED -> packing.queueHasRoom();
            default -> true;
        };
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
        goOn();
        int count = landDone(inbound, now);
        for (int n = 0; n < count; n++) {
            channel.consumed();
        }
        return count;
    }

    /** Chunks that are gathered in a slot go on to their pieces. */
    private void goOn() {
        if (unpack == null) {
            return;
        }
        gathered = Math.max(gathered, landed);
        while (gathered < arrived) {
            int slot = chunks.slot(gathered);
            InboundTransfer t = chunks.peek(slot);
            if (t != null && chunks.way[slot] == ChunkRing.GATHERED_PACKED) {
                if (chunks.ticket[slot] > unpack.completed() || !packing.queueHasRoom()) {
                    return;
                }
                scatter(slot, t);
            }
            gathered++;
        }
    }

    /** Has the GPU bring what has come in this turn to its pieces. */
    void flush() {
        packing.flush();
    }

    private int landDone(Inbound inbound, long now) {
        int count = 0;
        while (landed < arrived) {
            int slot = chunks.slot(landed);
            InboundTransfer t = chunks.peek(slot);
            if (t != null && (!isInPlace(slot) || (chunks.unseen[slot] && landed >= fenced))) {
                break;
            }
            long bytes = chunks.bytes[slot];
            chunks.clear(slot);
            free(slot);
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

    private boolean isInPlace(int slot) {
        long ticket = chunks.ticket[slot];
        return switch (chunks.way[slot]) {
            case ChunkRing.GATHERED -> unpack == null || ticket <= unpack.completed();
            case ChunkRing.GATHERED_PACKED -> false;
            case ChunkRing.COPIED -> staging == null || ticket <= staging.queue.completed();
            case ChunkRing.PACKED -> ticket <= packing.completed();
            default -> true;
        };
    }

    private void free(int slot) {
        byte way = chunks.way[slot];
        if (way == ChunkRing.LISTED) {
            packing.lists().freeUpTo(chunks.listEnd[slot]);
        } else if ((way == ChunkRing.PACKED || way == ChunkRing.GATHERED_PACKED) && staging == null) {
            packing.freeSlot();
        }
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
        packing.close();
        while (landed < taken) {
            taken--;
            int slot = chunks.slot(taken);
            InboundTransfer t = chunks.peek(slot);
            chunks.clear(slot);
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
        packing.close();
    }

    /** Waits for copies and unpacks first: they read slots, or bounce pages that a plugin takes back when it closes. */
    @Override
    void close() {
        try {
            if (unpack != null) {
                unpack.flush();
            }
            for (long n = landed; n < arrived; n++) {
                int slot = chunks.slot(n);
                InboundTransfer t = chunks.peek(slot);
                if (t != null) {
                    await(slot, t);
                }
            }
        } finally {
            super.close();
            if (isIdle()) {
                packing.close();
            }
        }
    }

    private void await(int slot, InboundTransfer t) {
        if (unpack != null && chunks.way[slot] >= ChunkRing.GATHERED) {
            CopyWait.await(chunks.ticket[slot], unpack::completed);
        }
        if (chunks.way[slot] == ChunkRing.GATHERED_PACKED) {
            CopyWait.awaitRoom(packing::queueHasRoom);
            scatter(slot, t);
        }
        if (chunks.way[slot] == ChunkRing.COPIED && staging != null) {
            CopyWait.await(chunks.ticket[slot], staging.queue::completed);
        } else if (chunks.way[slot] == ChunkRing.PACKED) {
            packing.flush();
            CopyWait.await(chunks.ticket[slot], packing::completed);
        }
    }
}
