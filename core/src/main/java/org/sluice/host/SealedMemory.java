package org.sluice.host;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;

/** A block in a memfd of its own, which other processes can map through its descriptor. */
@SuppressWarnings("restricted")
final class SealedMemory implements GpuMemory {
    private static final AtomicLong MADE = new AtomicLong();

    private final long number = MADE.incrementAndGet();
    private final int descriptor;
    private final MemorySegment segment;
    private boolean open = true;

    private SealedMemory(int descriptor, MemorySegment segment) {
        this.descriptor = descriptor;
        this.segment = segment;
    }

    static SealedMemory allocate(long bytes) {
        int fd = HostLibc.sealedMemory("sluice-region", bytes);
        try {
            long at = HostLibc.mapShared(fd, bytes);
            HostLibc.wantHugePages(at, bytes);
            return new SealedMemory(fd, MemorySegment.ofAddress(at).reinterpret(bytes));
        } catch (RuntimeException e) {
            HostLibc.close(fd);
            throw e;
        }
    }

    /** Differs from that of every other block of this process. */
    long number() {
        return number;
    }

    /** A descriptor for somebody else. */
    synchronized int newDescriptor() {
        if (!open) {
            throw new IllegalStateException("the block is closed");
        }
        return HostLibc.duplicate(descriptor);
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
        if (open) {
            open = false;
            HostLibc.unmap(segment.address(), segment.byteSize());
            HostLibc.close(descriptor);
        }
    }
}
