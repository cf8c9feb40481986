package org.sluice.spi;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A block of memory of a GPU, or of host memory pinned for it. Device memory is a type of its own, not a
 * {@link MemorySegment}, so that nobody dereferences it by accident.
 *
 * <p>Closing frees the block (an adopted one is only let go); closing twice is safe. The owner must see to it that nothing is
 * in flight to or from it.
 */
public interface GpuMemory extends AutoCloseable {
    /** First byte; aligned to 4096 unless adopted. */
    long address();

    /** Length in bytes. */
    long size();

    /**
     * Bytes from {@link #address} on that may be made known to a transport: the size, and what follows it in its last page where that
     * is this block's too. Nothing is ever sent from or received into what lies behind the size.
     */
    default long registrable() {
        return size();
    }

    MemoryKind kind();

    /** A view of the whole block where the CPU can touch it: present exactly when {@link #kind()} is {@link MemoryKind#HOST}. */
    Optional<MemorySegment> host();

    /**
     * A new dmabuf descriptor of the block, its length rounded up to whole pages; the caller closes the descriptor, and may before
     * the block is freed. Empty where the memory cannot be exported.
     */
    default OptionalInt exportDmabuf() {
        return OptionalInt.empty();
    }

    @Override
    void close();
}
