package org.sluice.transfer;

/** A message being sent. */
final class OutboundTransfer extends ChunkedTransfer {
    /** Chunks that the receiver has granted and that no channel has taken yet. */
    long granted;

    /** How often a chunk was given to a channel. */
    long given;

    /** Chunks given to a channel and not yet given back by it: the memory is in use while there are any. */
    long inFlight;

    /** Chunks whose send is finished; counts towards completion only where the receiver cannot confirm. */
    long sent;

    /** The receiver said that every byte has landed. */
    boolean landed;

    OutboundTransfer(
            long id, MemoryBlock block, long blockOffset, long length, long chunkBytes, Completion completion) {
        super(id, block, blockOffset, length, chunkBytes, completion);
    }
}
