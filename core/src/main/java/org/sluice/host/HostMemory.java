package org.sluice.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;

/**
 * A block of plain memory from {@code mmap}: page-aligned, given by the kernel when first touched and in huge pages where it
 * has them, so that a large block costs nothing until it is used ({@link Arena#allocate} would clear it first, at 1 GB/s).
 */
@SuppressWarnings("restricted")
final class HostMemory implements GpuMemory {
    private static final long HUGE_PAGE = 2 << 20;

    private final long mapped;
    private final long mappedBytes;
    private final long address;
    private final long size;
    private final MemorySegment segment;
    private boolean open = true;

    private HostMemory(long mapped, long mappedBytes, long address, long size) {
        this.mapped = mapped;
        this.mappedBytes = mappedBytes;
        this.address = address;
        this.size = size;
        this.segment = MemorySegment.ofAddress(address).reinterpret(size);
    }

    static HostMemory allocate(long size) {
        // room to start on a huge page, or the kernel uses small ones at both ends
        long bytes = size < HUGE_PAGE ? size : Math.addExact(size, HUGE_PAGE);
        long at = HostLibc.mapPrivate(bytes);
        if (size < HUGE_PAGE) {
            return new HostMemory(at, bytes, at, size);
        }
        long aligned = (at + HUGE_PAGE - 1) & -HUGE_PAGE;
        HostLibc.wantHugePages(aligned, size);
        return new HostMemory(at, bytes, aligned, size);
    }

    static HostMemory adopt(long address, long size) {
        return new HostMemory(0, 0, address, size);
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
    public MemoryKind kind() {
        return MemoryKind.HOST;
    }

    @Override
    public Optional<MemorySegment> host() {
        return Optional.of(segment);
    }

    @Override
    public void close() {
        if (open && mappedBytes > 0) {
            HostLibc.unmap(mapped, mappedBytes);
        }
        open = false;
    }
}
