package org.sluice.spi;

/**
 * Memory made known to a channel. Closed when nothing posted from it is in flight; those that are left when the channel closes, the
 * channel closes.
 */
public interface Registration extends AutoCloseable {
    /**
     * Whether bytes that were received into this memory are visible to the GPU only after a {@link ReceiveChannel#fence}: a NIC has
     * written them past the CPU. Never for what is unpacked: a kernel of the GPU itself writes those bytes.
     */
    default boolean needsFence() {
        return false;
    }

    @Override
    void close() throws TransportException;
}
