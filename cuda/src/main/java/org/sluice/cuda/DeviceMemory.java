package org.sluice.cuda;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalInt;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;

/** Memory of a CUDA device: allocated with room to align it to 4 KiB, which devmem TCP asks for, or somebody else's. */
final class DeviceMemory implements GpuMemory {
    static final long ALIGNMENT = 4096;

    private final CudaContext context;
    private final long base;
    private final long address;
    private final long size;
    private boolean open = true;

    private DeviceMemory(CudaContext context, long base, long address, long size) {
        this.context = context;
        this.base = base;
        this.address = address;
        this.size = size;
    }

    static DeviceMemory allocate(CudaContext context, long bytes) {
        // the end is rounded up as well, so that the last page can be exported whole
        long base = context.driver().memAlloc(Math.addExact(bytes, 2 * ALIGNMENT - 1) & -ALIGNMENT, context.where());
        return new DeviceMemory(context, base, (base + ALIGNMENT - 1) & -ALIGNMENT, bytes);
    }

    static DeviceMemory adopt(CudaContext context, long address, long bytes) {
        return new DeviceMemory(context, 0, address, bytes);
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public long registrable() {
        return base == 0 ? size : (size + ALIGNMENT - 1) & -ALIGNMENT; // allocated with room for the last page
    }

    @Override
    public MemoryKind kind() {
        return MemoryKind.CUDA;
    }

    @Override
    public Optional<MemorySegment> host() {
        return Optional.empty();
    }

    @Override
    public OptionalInt exportDmabuf() {
        if (base == 0) {
            return OptionalInt.empty(); // where a foreign allocation's pages begin and end is not known here
        }
        context.bind();
        return OptionalInt.of(context.driver().dmabuf(address, registrable(), context.where()));
    }

    @Override
    public synchronized void close() {
        if (open && base != 0 && context.isOpen()) {
            context.bind();
            context.driver().memFree(base, context.where());
        }
        open = false;
    }
}
