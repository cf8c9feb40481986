package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;

/**
 * Brings the chunks of a receiving channel to their places: says where the transport is to put each, and copies, unpacks or scatters what
 * it had to put elsewhere. Belongs to the agent.
 */
final class Placing {
    private final ChunkRing<InboundTransfer> chunks;
    private final @Nullable StagingShare staging;
    private final @Nullable UnpackQueue unpack;
    private final boolean takesLists;
    private final Packing packing;
    /** Chunks whose bytes have left bounce pages for a packed slot and go on from there. */
    private long gathered;

    /**
     * @param unpack where the transport scatters: the GPU's unpack queue; null otherwise
     * @param takesLists whether the transport receives into lists of pieces by itself
     */
    Placing(
            ChunkRing<InboundTransfer> chunks,
            @Nullable StagingShare staging,
            @Nullable UnpackQueue unpack,
            boolean takesLists,
            Packing packing) {
        this.chunks = chunks;
        this.staging = staging;
        this.unpack = unpack;
        this.takesLists = takesLists;
        this.packing = packing;
    }

    boolean hasRoom() {
        return packing.hasRoom();
    }

    /** Whether the queue that brings packed chunks to their pieces takes one more. */
    boolean queueHasRoom() {
        return packing.queueHasRoom();
    }

    /** Chooses where the transport is to put a chunk. */
    void choose(int slot, InboundTransfer t, long at, long bytes) {
        long address = t.map.address(at, bytes);
        if (address >= 0) {
            takePiece(slot, address);
        } else {
            takeList(slot, t, at, bytes);
        }
    }

    private void takePiece(int slot, long address) {
        chunks.way[slot] = unpack != null ? ChunkRing.GATHERED : staging != null ? ChunkRing.COPIED : ChunkRing.DIRECT;
        chunks.place[slot] = staging == null ? address : lend(slot, staging);
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
            chunks.place[slot] = staging == null ? packing.takeSlot() : lend(slot, staging);
        }
    }

    /** Whether a pinned slot is there for a chunk, where it needs one. */
    boolean maySlot() {
        return staging == null || staging.mayTake();
    }

    private long lend(int slot, StagingShare from) {
        int lent = from.take();
        chunks.lent[slot] = lent;
        return from.address(lent);
    }

    /** Its pinned slot, if it has one, is another chunk's now. */
    void giveBack(int slot) {
        int lent = chunks.lent[slot];
        if (lent != StagingShare.NONE && staging != null) {
            chunks.lent[slot] = StagingShare.NONE;
            staging.giveBack(lent);
        }
    }

    /** The number among such of the memory that a chunk's slot is part of, where it does not go straight to its place. */
    int extent(int slot) {
        return staging == null ? 0 : StagingPool.extentOf(chunks.lent[slot]);
    }

    /** That memory. */
    GpuMemory extentMemory(int number) {
        return staging == null ? packing.slots() : staging.extent(number);
    }

    /**
     * Starts what brings a chunk that has come on the channel to its place.
     *
     * @return whether the transport put it there, so that nothing has to be started
     */
    boolean begin(ReceiveChannel channel, int slot, InboundTransfer t) throws TransportException {
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
        } else {
            return true;
        }
        return false;
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
    boolean queueHasRoom(int slot) {
        return switch (chunks.way[slot]) {
            case ChunkRing.GATHERED, ChunkRing.GATHERED_PACKED -> unpack == null || unpack.hasRoom();
            case ChunkRing.COPIED -> staging == null || staging.queue.hasRoom();
            case ChunkRing.PACKED -> packing.queueHasRoom();
            default -> true;
        };
    }

    /** Chunks that are gathered in a slot go on to their pieces. */
    void goOn(long landed, long arrived) {
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

    /** Has it begin to empty bounce pages, which a plugin takes back when its channel closes. */
    void flushUnpack() {
        if (unpack != null) {
            unpack.flush();
        }
    }

    /** Whether nothing is under way any more that brings it there. */
    boolean isInPlace(int slot) {
        long ticket = chunks.ticket[slot];
        return switch (chunks.way[slot]) {
            case ChunkRing.GATHERED -> unpack == null || ticket <= unpack.completed();
            case ChunkRing.GATHERED_PACKED -> false;
            case ChunkRing.COPIED -> staging == null || ticket <= staging.queue.completed();
            case ChunkRing.PACKED -> ticket <= packing.completed();
            default -> true;
        };
    }

    /** A chunk has landed, or will not. */
    void free(int slot) {
        giveBack(slot);
        byte way = chunks.way[slot];
        if (way == ChunkRing.LISTED) {
            packing.lists().freeUpTo(chunks.listEnd[slot]);
        } else if ((way == ChunkRing.PACKED || way == ChunkRing.GATHERED_PACKED) && staging == null) {
            packing.freeSlot();
        }
    }

    /** Waits until a chunk that has come is in its place. */
    void await(int slot, InboundTransfer t) {
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

    /** What lists and slots were needed for is over, in whatever way. */
    void close() {
        packing.close();
    }
}
