package org.sluice.transfer;

import java.lang.foreign.MemorySegment;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PieceQueue;

/** What chunks of many pieces need of a GPU, made when the first is there. Belongs to the GPU's agent. */
public interface PieceQueues {
    /** Packs chunks on their way out. */
    PieceQueue gather();

    /** Unpacks chunks on their way in. */
    PieceQueue scatter();

    /** The GPU's own memory, for packed chunks of a transport that reaches it but takes one piece only. */
    GpuMemory allocate(long bytes);

    /** Copies a few bytes of the GPU's to the host, and waits. */
    void read(GpuMemory from, long offset, MemorySegment to);

    /** Copies a few bytes to the GPU, and waits. */
    void write(GpuMemory to, long offset, MemorySegment from);
}
