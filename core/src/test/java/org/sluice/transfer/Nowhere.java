package org.sluice.transfer;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;

/** Memory that has an address and no bytes. */
enum Nowhere implements GpuMemory {
    INSTANCE;

    @Override
    public long address() {
        return 4096;
    }

    @Override
    public long size() {
        return Long.MAX_VALUE - 8192;
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
    public void close() {}
}
