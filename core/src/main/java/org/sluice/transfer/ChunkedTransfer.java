package org.sluice.transfer;

/** One message and how far it is: the part that sender and receiver have in common. Belongs to the agent. */
abstract sealed class ChunkedTransfer permits InboundTransfer, OutboundTransfer {
    final long id;
    final MemoryBlock block;
    final long blockOffset;
    final long length;
    final long chunkBytes;
    final long chunks;
    final Completion completion;
    long startedAt;

    ChunkedTransfer(long id, MemoryBlock block, long blockOffset, long length, long chunkBytes, Completion completion) {
        this.id = id;
        this.block = block;
        this.blockOffset = blockOffset;
        this.length = length;
        this.chunkBytes = chunkBytes;
        this.chunks = length / chunkBytes + (length % chunkBytes == 0 ? 0 : 1);
        this.completion = completion;
    }

    /** Bytes of the chunk that starts at {@code offset} of the message. */
    long chunkLength(long offset) {
        return Math.min(chunkBytes, length - offset);
    }

    /** Address of the byte at {@code offset} of the message. */
    long address(long offset) {
        return block.memory().address() + blockOffset + offset;
    }

    /** Whether a chunk can start at {@code offset}: asked of offsets that the peer names. */
    boolean isChunkStart(long offset) {
        return offset >= 0 && offset < length && offset % chunkBytes == 0;
    }
}
