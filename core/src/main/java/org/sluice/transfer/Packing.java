package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PieceQueue;

/**
 * What a channel needs for chunks of many pieces, made at the first: room for lists; where the transport takes no lists, the GPU's
 * queue that packs or unpacks them; and where chunks go through no pinned slots anyway, slots for packed ones. Belongs to the agent.
 */
final class Packing implements AutoCloseable {
    /** Packed chunks of a channel under way; they are copied at the speed of the GPU's memory. */
    static final int SLOTS = 8;

    private static final int PIECES = PieceMap.MOST_PIECES + 1;

    private final PieceQueues gpu;
    private final boolean sends;
    private final boolean ownSlots;
    private final long slotBytes;
    private @Nullable PieceRing lists;
    private @Nullable PieceQueue queue;
    private @Nullable GpuMemory slots;
    private long slotsTaken;
    private long slotsFreed;

    /**
     * @param ownSlots whether packed chunks need slots of their own
     * @param slotBytes of the longest chunk
     */
    Packing(PieceQueues gpu, boolean sends, boolean ownSlots, long slotBytes) {
        this.gpu = gpu;
        this.sends = sends;
        this.ownSlots = ownSlots;
        this.slotBytes = slotBytes;
    }

    /** Whether one more chunk of whatever form can be taken. */
    boolean hasRoom() {
        return (lists == null || lists.hasRoom()) && queueHasRoom() && slotsTaken - slotsFreed < SLOTS;
    }

    boolean queueHasRoom() {
        return queue == null || queue.hasRoom(PIECES);
    }

    PieceRing lists() {
        if (lists == null) {
            lists = new PieceRing();
        }
        return lists;
    }

    PieceQueue queue() {
        if (queue == null) {
            queue = sends ? gpu.gather() : gpu.scatter();
        }
        return queue;
    }

    /** The highest ticket of the queue that is done. */
    long completed() {
        return queue == null ? 0 : queue.completed();
    }

    void flush() {
        if (queue != null) {
            queue.flush();
        }
    }

    boolean hasSlots() {
        return ownSlots;
    }

    /** All slots, as one block. */
    GpuMemory slots() {
        if (slots == null) {
            slots = gpu.allocate(SLOTS * slotBytes);
        }
        return slots;
    }

    /** The address of the next slot. Given back in order. */
    long takeSlot() {
        return slots().address() + slotsTaken++ % SLOTS * slotBytes;
    }

    void freeSlot() {
        slotsFreed++;
    }

    /** When nothing is under way any more, the transport's end included. */
    @Override
    public void close() {
        if (lists != null) {
            lists.close();
        }
        if (slots != null) {
            slots.close();
        }
    }
}
