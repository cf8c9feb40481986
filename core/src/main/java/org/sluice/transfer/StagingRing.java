package org.sluice.transfer;

import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuMemory;

/**
 * Pinned host slots of one channel, for a transport that cannot take the GPU's memory. Slot <i>n mod slots</i> serves the n-th
 * chunk of the channel; a channel takes no chunk when all its slots are in use, so a slot is never in use twice. Few and small,
 * so that what the copy engine wrote is still in the last-level cache when the socket reads it, and the other way round.
 */
public final class StagingRing implements AutoCloseable {
    final CopyQueue queue;
    final GpuMemory memory;
    final int slots;
    private final long slotBytes;

    /** @param slots a power of two; @param queue the GPU's queue in this direction, shared by its channels */
    public StagingRing(Gpu gpu, CopyQueue queue, int slots, long slotBytes) {
        this.queue = queue;
        this.slots = slots;
        this.slotBytes = slotBytes;
        this.memory = gpu.allocatePinned(slots * slotBytes);
    }

    long address(long sequence) {
        return memory.address() + (sequence & (slots - 1)) * slotBytes;
    }

    @Override
    public void close() {
        memory.close();
    }
}
