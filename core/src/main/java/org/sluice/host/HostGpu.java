package org.sluice.host;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sluice.UnpackMode;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.PieceQueue;
import org.sluice.spi.UnpackQueue;
import org.sluice.transfer.Pattern;

/** Plain memory in the place of a GPU's. Its copies are done at once, by the calling thread, long ones of a peer's memory with others' help. */
final class HostGpu implements Gpu {
    private final int id;
    private final CopyWorkers workers;

    HostGpu(int id) {
        this.id = id;
        this.workers = CopyWorkers.of("gpu" + id);
    }

    @Override
    public int id() {
        return id;
    }

    @Override
    public String name() {
        return "host";
    }

    @Override
    public MemoryKind memoryKind() {
        return MemoryKind.HOST;
    }

    @Override
    public @Nullable String pciBusId() {
        return null;
    }

    @Override
    public void bindThread() {}

    @Override
    public GpuMemory allocate(long bytes) {
        return HostMemory.allocate(bytes);
    }

    @Override
    public GpuMemory adopt(long address, long bytes) {
        return HostMemory.adopt(address, bytes);
    }

    @Override
    public GpuMemory allocatePinned(long bytes) {
        return HostMemory.allocate(bytes);
    }

    @Override
    public CopyQueue copyQueue(CopyQueue.Direction direction, int capacity) {
        return new HostCopyQueue(null);
    }

    @Override
    public UnpackQueue unpackQueue(UnpackMode mode, int capacity) {
        return new HostUnpackQueue();
    }

    @Override
    public PieceQueue pieceQueue(PieceQueue.Direction direction, int chunks, int pieces) {
        return new HostPieceQueue(direction, pieces);
    }

    @Override
    public Optional<MemorySharing> sharing() {
        return Optional.of(new HostSharing(id, workers));
    }

    @Override
    public void write(GpuMemory target, long offset, MemorySegment source) {
        segment(target).asSlice(offset, source.byteSize()).copyFrom(source);
    }

    @Override
    public void read(GpuMemory source, long offset, MemorySegment target) {
        target.copyFrom(segment(source).asSlice(offset, target.byteSize()));
    }

    @Override
    public void fill(GpuMemory target, long offset, long bytes, long seed) {
        Pattern.fill(segment(target), offset, bytes, seed);
    }

    @Override
    public long mismatch(GpuMemory memory, long offset, long bytes, long seed) {
        return Pattern.mismatch(segment(memory), offset, bytes, seed);
    }

    private static MemorySegment segment(GpuMemory memory) {
        return memory.host()
                .orElseThrow(
                        () -> new IllegalArgumentException("a host GPU cannot reach " + memory.kind() + " memory"));
    }

    @Override
    public void close() {
        workers.close();
    }
}
