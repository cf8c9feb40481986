package org.sluice.spi;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sluice.UnpackMode;

/**
 * A memory domain with a copy engine: a CUDA device, or a <em>host GPU</em> made of plain memory.
 *
 * <p>Thread rule: {@link #bindThread()} is called first on every thread that uses the GPU; after it every method may be called
 * there. {@link CopyQueue}, {@link UnpackQueue} and {@link PieceQueue} objects belong to one thread, the GPU's agent. Errors of the backend are
 * thrown as {@link GpuException}.
 */
public interface Gpu extends AutoCloseable {
    /** The number the user knows it by, from 0. */
    int id();

    /** Model, as the driver says it: {@code NVIDIA H200}; {@code host} for a host GPU. */
    String name();

    /** The kind of memory {@link #allocate} gives. */
    MemoryKind memoryKind();

    /** PCI address as in sysfs, lower case ({@code 0000:04:00.0}); null where there is none. */
    @Nullable String pciBusId();

    /** What names it in every process and container, as {@code nvidia-smi -L} writes it; empty where there is no such name. */
    default String uuid() {
        return "";
    }

    /** The NUMA node it hangs on, -1 where unknown. */
    default int numaNode() {
        return -1;
    }

    /** Makes this GPU current on the calling platform thread. Idempotent and cheap when it is current already. */
    void bindThread();

    /** Memory of this GPU, aligned to 4096 bytes (devmem TCP asks for it), contents undefined. @param bytes at least 1 */
    GpuMemory allocate(long bytes);

    /** Memory that somebody else allocated on this GPU and keeps alive; closing the result does not free it. */
    GpuMemory adopt(long address, long bytes);

    /** Host memory that the GPU's copy engine reaches at full speed: page-locked for CUDA, plain for a host GPU. */
    GpuMemory allocatePinned(long bytes);

    /**
     * Whether what a NIC writes into this GPU's memory is seen there only after {@link #flushRemoteWrites}: writes of other devices
     * may overtake each other on their way.
     */
    default boolean remoteWritesNeedFlush() {
        return false;
    }

    /** Makes visible to this GPU what NICs have written into its memory until now, and waits for that. */
    default void flushRemoteWrites() {}

    /** Whether a transport that takes only host memory can use {@link #allocate}d memory as it is. */
    default boolean hostAccessible() {
        return memoryKind() == MemoryKind.HOST;
    }

    /** Whether kernels of this GPU can read all of a range of memory that somebody else allocated: a GPU's, or page-locked. */
    default boolean canRead(long address, long bytes) {
        return false;
    }

    /** A new in-order copy queue. @param capacity the most copies in flight, at least 1 */
    CopyQueue copyQueue(CopyQueue.Direction direction, int capacity);

    /** A new in-order unpack queue. @param capacity the most chunks in flight, at least 1 */
    UnpackQueue unpackQueue(UnpackMode mode, int capacity);

    /**
     * A new in-order queue for chunks that are lists of pieces on this GPU.
     *
     * @param chunks the most chunks in flight, at least 1
     * @param pieces the most pieces in flight, of all chunks together, at least 1; a chunk may have as many
     */
    PieceQueue pieceQueue(PieceQueue.Direction direction, int chunks, int pieces);

    /** How this GPU shares memory with other processes of its host; empty where it cannot. */
    default Optional<MemorySharing> sharing() {
        return Optional.empty();
    }

    /** Copies host bytes into GPU memory and waits. Not for the data path. */
    void write(GpuMemory target, long offset, MemorySegment source);

    /** Copies GPU memory into host bytes and waits. Not for the data path. */
    void read(GpuMemory source, long offset, MemorySegment target);

    /**
     * Fills a range with the pattern of {@code seed} (see {@code org.sluice.transfer.Pattern}) and waits.
     *
     * @param offset first byte, a multiple of 8; the pattern is a function of the offset in the block
     * @param bytes any length
     */
    void fill(GpuMemory target, long offset, long bytes, long seed);

    /** Compares a range with the pattern of {@code seed} and waits. @return offset in the block of the first wrong byte, or -1 */
    long mismatch(GpuMemory memory, long offset, long bytes, long seed);

    @Override
    void close();
}
