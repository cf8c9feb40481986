package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.TransferOptions;

/** A message being sent. */
final class OutboundTransfer extends ChunkedTransfer {
    /** The longest chunk that this side can do. */
    final long mostChunk;

    /** Chunks that the receiver has granted and that no channel has taken yet. */
    long granted;

    /** Bytes of chunks given to a channel, those given again counted again. */
    long given;

    /** Chunks given to a channel and not yet given back by it: the memory is in use while there are any. */
    long inFlight;

    /** Bytes whose send is finished; counts towards completion only where the receiver cannot confirm. */
    long sent;

    /** The receiver said that every byte has landed. */
    boolean landed;

    /** It said instead that it has ended the transfer; {@link #landed} is set too. */
    boolean cut;

    /** The receiver knows of it. */
    boolean announced;

    /** Its bytes went with its announcement. */
    boolean small;

    /** Where its bytes lie, told to a receiver that may pull them; null where it may not. */
    PeerPlace.@Nullable Listed source;

    /** Whether the receiver pulls it, as far as is known: it has granted nothing of what it may pull. */
    boolean isPulled() {
        return source != null && given == 0 && granted == 0;
    }

    OutboundTransfer(
            long id,
            PieceMap map,
            @Nullable PeerPlace remote,
            TransferOptions options,
            long chunkBytes,
            Completion completion) {
        super(id, map, remote, options, completion);
        this.mostChunk = Math.min(chunkBytes, map.mostChunk());
    }

    /** Whether this may be a chunk: asked of what the peer names. */
    boolean isChunk(long offset, long bytes) {
        return offset >= 0 && bytes > 0 && bytes <= mostChunk && offset <= length - bytes;
    }
}
