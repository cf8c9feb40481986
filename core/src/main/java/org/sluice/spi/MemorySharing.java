package org.sluice.spi;

import java.util.List;

/**
 * What a GPU can do to share memory with other processes of its host. Any thread that is bound to the GPU may call it; the queues
 * belong to the GPU's agent thread.
 */
public interface MemorySharing {
    /**
     * As {@link Gpu#allocate}, and {@link #export} takes it. Costs more where plain memory is not shareable: a host GPU's then comes
     * from a memfd, which has huge pages only where the host allows it.
     */
    GpuMemory allocate(long bytes);

    /**
     * Makes a block's parts, in the order of the block. Descriptors in them are the caller's, who ends them with {@link #discard}
     * once they are sent. The block must outlive every opener that still reads it: freeing it first is undefined for some kinds.
     *
     * @throws GpuException when the block's allocator made memory that cannot be shared; says which allocator does
     */
    List<SharedPart> export(GpuMemory memory);

    /** Closes the descriptors of parts, on either side. */
    void discard(List<SharedPart> parts);

    /** A place for what one other process shares. @param name the process, as messages name it */
    PeerMemory peer(String name);

    /**
     * Opens a block of another process of this host, to be used and passed on as this process's own: {@link #export} takes it, and
     * whoever opens that has it from the owner. As with {@link PeerMemory#open}, the descriptors of the parts are taken; closing the
     * result may take the driver long.
     *
     * @param owner the process, as messages name it
     * @throws GpuException when it cannot be opened, is not what its parts say, or this GPU takes none
     */
    default GpuMemory adopt(List<SharedPart> parts, String owner) {
        discard(parts);
        throw new GpuException("this GPU takes no memory of other processes", 0);
    }

    /**
     * A new queue of copies between this GPU's memory and a peer's, either way, by the copy engine. Some may run at once; their
     * tickets end in order.
     *
     * @param capacity the most copies in flight, at least 1
     */
    CopyQueue copyQueue(int capacity);

    /**
     * A new in-order queue that moves lists to lists, this GPU's memory and a peer's, either way.
     *
     * @param moves the most in flight, at least 1
     */
    ListQueue listQueue(int moves);
}
