package org.sluice.transfer;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.UnpackMode;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PieceQueue;
import org.sluice.spi.UnpackQueue;

/** A GPU's queues, made when they are first needed. Belongs to the agent. */
final class GpuQueues implements PieceQueues, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(GpuQueues.class);

    /** Copies in flight of one GPU and direction; its staging slots stay below it. */
    private static final int COPY_CAPACITY = 4096;

    private static final int UNPACK_CAPACITY = 1024;

    /** Chunks of many pieces in flight of one GPU and direction, and their pieces. */
    private static final int PIECED_CHUNKS = 1024;

    private static final int PIECES = 64 << 10;

    private final Gpu gpu;
    private final UnpackMode unpackMode;
    private final StagingPool sendSlots;
    private final StagingPool receiveSlots;
    private @Nullable CopyQueue toHost;
    private @Nullable CopyQueue toGpu;
    private @Nullable UnpackQueue unpack;
    private @Nullable PieceQueue gather;
    private @Nullable PieceQueue scatter;

    /** @param stagingBytes most pinned memory for each direction */
    GpuQueues(Gpu gpu, UnpackMode unpackMode, long stagingBytes) {
        this.gpu = gpu;
        this.unpackMode = unpackMode;
        this.sendSlots = new StagingPool(gpu, this::toHost, stagingBytes);
        this.receiveSlots = new StagingPool(gpu, this::toGpu, stagingBytes);
    }

    StagingPool sendSlots() {
        return sendSlots;
    }

    StagingPool receiveSlots() {
        return receiveSlots;
    }

    CopyQueue toHost() {
        if (toHost == null) {
            toHost = gpu.copyQueue(CopyQueue.Direction.TO_HOST, COPY_CAPACITY);
        }
        return toHost;
    }

    CopyQueue toGpu() {
        if (toGpu == null) {
            toGpu = gpu.copyQueue(CopyQueue.Direction.TO_GPU, COPY_CAPACITY);
        }
        return toGpu;
    }

    UnpackQueue unpack() {
        if (unpack == null) {
            unpack = gpu.unpackQueue(unpackMode, UNPACK_CAPACITY);
        }
        return unpack;
    }

    @Override
    public PieceQueue gather() {
        if (gather == null) {
            gather = gpu.pieceQueue(PieceQueue.Direction.GATHER, PIECED_CHUNKS, PIECES);
        }
        return gather;
    }

    @Override
    public PieceQueue scatter() {
        if (scatter == null) {
            scatter = gpu.pieceQueue(PieceQueue.Direction.SCATTER, PIECED_CHUNKS, PIECES);
        }
        return scatter;
    }

    @Override
    public GpuMemory allocate(long bytes) {
        return gpu.allocate(bytes);
    }

    @Override
    public void read(GpuMemory from, long offset, MemorySegment to) {
        gpu.read(from, offset, to);
    }

    @Override
    public void write(GpuMemory to, long offset, MemorySegment from) {
        gpu.write(to, offset, from);
    }

    @Override
    public void close() {
        for (AutoCloseable q :
                new @Nullable AutoCloseable[] {sendSlots, receiveSlots, toHost, toGpu, unpack, gather, scatter}) {
            try {
                if (q != null) {
                    q.close();
                }
            } catch (Throwable e) {
                log.warn("GPU {}: while freeing its queues: {}", gpu.id(), e.toString());
            }
        }
    }
}
