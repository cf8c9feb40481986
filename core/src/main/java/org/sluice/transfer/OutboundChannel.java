package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.Channel;
import org.sluice.spi.Registration;
import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;
import org.sluice.stats.ChannelCounters;
import org.sluice.stats.ChannelState;

/**
 * The sending end of a channel. A chunk is taken, copied to a staging slot where the transport cannot reach the GPU's memory, or packed
 * where it is of many pieces and the transport takes no lists, posted, and sent, in order; three counters say how far each step is.
 */
final class OutboundChannel extends ChannelEnd<SendChannel> {
    private final int window;
    private final AnswerClock clock;
    private final @Nullable StagingShare staging;
    private final boolean takesLists;
    private final Packing packing;
    private final ChunkRing<OutboundTransfer> chunks;
    private long taken;
    private long posted;
    private long sent;
    private boolean refused;
    /** Whether other links have filled a queue of the GPU's that its next chunk needs. */
    private boolean heldUp;

    private long lastSign;

    /** @param takesLists whether the transport sends lists of pieces by itself */
    OutboundChannel(
            int index,
            int generation,
            SendChannel channel,
            ChannelCounters counters,
            int window,
            AnswerClock clock,
            @Nullable StagingShare staging,
            boolean takesLists,
            Packing packing) {
        super(index, generation, channel, counters);
        this.clock = clock;
        this.staging = staging;
        this.takesLists = takesLists;
        this.packing = packing;
        this.window = staging == null ? window : Math.min(window, staging.perChannel);
        this.chunks = new ChunkRing<>(this.window);
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

    boolean hasRoom() {
        boolean queues = (staging == null || staging.queue.hasRoom()) && packing.queueHasRoom();
        heldUp = !queues;
        return taken - sent < window && queues && packing.hasRoom();
    }

    /** Whether a pinned slot is there for a chunk, where it needs one. */
    boolean maySlot() {
        return staging == null || staging.mayTake();
    }

    boolean isIdle() {
        return taken == sent;
    }

    boolean isCopying() {
        return heldUp || (posted < taken && chunks.way[chunks.slot(posted)] >= ChunkRing.COPIED);
    }

    void take(OutboundTransfer t, long at, long bytes, long now) {
        if (chunks.makeRoom(sent, taken) && timing != null) {
            timing.grow(chunks.size(), sent, taken);
        }
        int slot = chunks.slot(taken);
        chunks.set(slot, t, at, bytes);
        if (t.ending != EndReason.NONE && channel.sendsVoids()) {
            chunks.way[slot] = ChunkRing.VOID;
        } else {
            try {
                takeBytes(slot, t, at, bytes);
            } catch (RuntimeException e) {
                giveBack(slot); // the GPU did not begin
                throw e;
            }
        }
        if (timing != null) {
            timing.began(taken, now);
        }
        taken++;
    }

    private void takeBytes(int slot, OutboundTransfer t, long at, long bytes) {
        long address = t.map.address(at, bytes);
        if (address >= 0) {
            takePiece(slot, address, bytes);
        } else {
            takeList(slot, t, at, bytes);
        }
    }

    private void takePiece(int slot, long address, long bytes) {
        if (staging == null) {
            chunks.way[slot] = ChunkRing.DIRECT;
            chunks.place[slot] = address;
        } else {
            chunks.way[slot] = ChunkRing.COPIED;
            chunks.place[slot] = lend(slot, staging);
            chunks.ticket[slot] = staging.queue.enqueue(chunks.place[slot], address, bytes);
        }
    }

    private long lend(int slot, StagingShare from) {
        int lent = from.take();
        chunks.lent[slot] = lent;
        return from.address(lent);
    }

    private void giveBack(int slot) {
        int lent = chunks.lent[slot];
        if (lent != StagingShare.NONE && staging != null) {
            chunks.lent[slot] = StagingShare.NONE;
            staging.giveBack(lent);
        }
    }

    private void takeList(int slot, OutboundTransfer t, long at, long bytes) {
        long list = packing.lists().room();
        int pieces = t.map.list(at, bytes, list);
        if (pieces == 1) {
            takePiece(slot, PieceMap.vectorAddress(list, 0), bytes);
        } else if (staging == null && takesLists) {
            chunks.way[slot] = ChunkRing.LISTED;
            chunks.place[slot] = list;
            chunks.pieces[slot] = pieces;
            chunks.listEnd[slot] = packing.lists().keep(pieces);
        } else {
            chunks.way[slot] = ChunkRing.PACKED;
            chunks.place[slot] = staging == null ? packing.takeSlot() : lend(slot, staging);
            chunks.ticket[slot] = packing.queue().enqueue(list, pieces, chunks.place[slot], bytes);
        }
    }

    /** Has the GPU pack what was taken in this turn. */
    void flush() {
        packing.flush();
    }

    /** Posts what is ready. @return how many chunks */
    int post(long now) throws TransportException {
        int count = 0;
        refused = false;
        while (posted < taken) {
            int slot = chunks.slot(posted);
            if (!isReady(slot)) {
                break;
            }
            if (!post(slot)) {
                refused = true;
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

    private boolean isReady(int slot) {
        return switch (chunks.way[slot]) {
            case ChunkRing.COPIED -> staging == null || chunks.ticket[slot] <= staging.queue.completed();
            case ChunkRing.PACKED -> chunks.ticket[slot] <= packing.completed();
            default -> true;
        };
    }

    private boolean post(int slot) throws TransportException {
        OutboundTransfer t = chunks.get(slot);
        long at = chunks.offset[slot];
        long bytes = chunks.bytes[slot];
        long place = chunks.place[slot];
        return switch (chunks.way[slot]) {
            case ChunkRing.VOID -> channel.sendVoid(bytes, t.id, at);
            case ChunkRing.DIRECT -> channel.send(registration(t.map.blockAt(at)), place, bytes, t.id, at);
            case ChunkRing.LISTED ->
                channel.sendPieces(registrations(t.map, at), place, chunks.pieces[slot], bytes, t.id, at);
            default -> channel.send(slotRegistration(chunks.lent[slot]), place, bytes, t.id, at);
        };
    }

    private Registration slotRegistration(int lent) throws TransportException {
        if (staging == null) {
            return registrationOfSlots(0, packing.slots());
        }
        int extent = StagingPool.extentOf(lent);
        return registrationOfSlots(extent, staging.extent(extent));
    }

    /** Takes finished sends off and tells {@code outbound} of each. @return how many */
    int reap(Outbound outbound, long now) throws TransportException {
        int count = 0;
        while (sent < posted && channel.test() != Channel.PENDING) {
            int slot = chunks.slot(sent);
            OutboundTransfer t = chunks.get(slot);
            if (chunks.way[slot] != ChunkRing.VOID) {
                counters.chunk(chunks.bytes[slot]);
            }
            if (timing != null) {
                timing.ended(sent, t.id, chunks.offset[slot], chunks.bytes[slot], now);
            }
            free(slot);
            sent++;
            count++;
            outbound.sent(t, chunks.bytes[slot]);
        }
        if (count > 0) {
            clock.moved(now);
        }
        return count;
    }

    private void free(int slot) {
        giveBack(slot);
        if (chunks.way[slot] == ChunkRing.LISTED) {
            packing.lists().freeUpTo(chunks.listEnd[slot]);
        } else if (chunks.way[slot] == ChunkRing.PACKED && staging == null) {
            packing.freeSlot();
        }
    }

    /** Whether the rail has died. @param heardAt when the peer was heard last on whichever way */
    RailVerdict rail(long now, long heardAt) throws TransportException {
        return clock.look(channel, now, heardAt);
    }

    /** All that was sent has landed. */
    void settled() {
        clock.settled();
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
        packing.close();
        posted = taken;
        while (sent < taken) {
            int slot = chunks.slot(sent++);
            OutboundTransfer t = chunks.get(slot);
            giveBack(slot);
            counters.retriedChunk();
            outbound.abandoned(t);
        }
    }

    /** Whether a chunk of the transfer is under way on it. Rare: looks at all. */
    boolean carries(OutboundTransfer t) {
        for (long n = sent; n < taken; n++) {
            if (chunks.peek(chunks.slot(n)) == t) {
                return true;
            }
        }
        return false;
    }

    /** What lists and slots were needed for is over, in whatever way. */
    void free() {
        for (long n = sent; n < taken; n++) {
            giveBack(chunks.slot(n));
        }
        packing.close();
    }

    /** Waits for copies to slots too: they read memory that is its owner's again once its transfer has ended. */
    @Override
    void close() {
        try {
            for (long n = posted; n < taken; n++) {
                int slot = chunks.slot(n);
                if (chunks.way[slot] == ChunkRing.COPIED && staging != null) {
                    CopyWait.await(chunks.ticket[slot], staging.queue::completed);
                } else if (chunks.way[slot] == ChunkRing.PACKED) {
                    packing.flush();
                    CopyWait.await(chunks.ticket[slot], packing::completed);
                }
            }
        } finally {
            super.close();
            if (isIdle()) {
                packing.close();
            }
        }
    }
}
