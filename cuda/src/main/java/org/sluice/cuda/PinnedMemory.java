package org.sluice.cuda;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;

/** Page-locked host memory, which copy engines reach at full speed and kernels through {@link #deviceAddress}. */
@SuppressWarnings("restricted")
final class PinnedMemory implements GpuMemory {
    private final CudaContext context;
    private final MemorySegment segment;
    private boolean open = true;

    PinnedMemory(CudaContext context, long bytes) {
        this.context = context;
        this.segment = MemorySegment.ofAddress(context.driver().memHostAlloc(bytes, context.where()))
                .reinterpret(bytes);
    }

    MemorySegment segment() {
        return segment;
    }

    /** Where kernels of this GPU find it. */
    long deviceAddress() {
        return context.driver().memHostGetDevicePointer(segment.address(), context.where());
    }

    @Override
    public long address() {
        return segment.address();
    }

    @Override
    public long size() {
        return segment.byteSize();
    }

    @Override
    public MemoryKind kind() {
        return MemoryKind.HOST;
    }

    @Override
    public Optional<MemorySegment> host() {
        return Optional.of(segment);
    }

    @Override
    public synchronized void close() {
        if (open && context.isOpen()) {
            context.bind();
            context.driver().memFreeHost(segment.address(), context.where());
        }
        open = false;
    }
}
