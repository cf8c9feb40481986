package org.sluice.transfer;

/** A message being received. */
final class InboundTransfer extends ChunkedTransfer {
    /** Chunks in their destination and visible to the GPU. */
    long landed;

    /** Next chunk that was never given to a channel. */
    long next;

    InboundTransfer(long id, MemoryBlock block, long blockOffset, long length, long chunkBytes, Completion completion) {
        super(id, block, blockOffset, length, chunkBytes, completion);
    }

    boolean hasNext() {
        return next < chunks;
    }
}
