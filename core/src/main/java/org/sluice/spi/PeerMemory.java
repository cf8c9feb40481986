package org.sluice.spi;

import java.util.List;

/**
 * The memory of one other process that this GPU has open. An allocation is opened once, however many of its ranges are in use, and
 * let go with the last of them. Any thread that is bound to the GPU may call it.
 *
 * <p>Nothing here waits for the other process, which may be dead: what was opened stays readable until it is closed, and keeps its
 * memory taken on the other's GPU until then. But closing may take the driver long: not on a thread that serves others.
 */
public interface PeerMemory extends AutoCloseable {
    /**
     * Opens a block. Takes the parts' descriptors: they are closed when this returns or throws.
     *
     * @return the block in one range, at an address of this process; its {@code close} lets it go, and nothing may be in flight to or
     *     from it then
     * @throws GpuException when it cannot be opened, or is not what its parts say
     */
    GpuMemory open(List<SharedPart> parts);

    /** How many allocations are open. */
    int opened();

    /** Lets everything go, blocks that are still open too. The caller has drained its queues. Idempotent. */
    @Override
    void close();
}
