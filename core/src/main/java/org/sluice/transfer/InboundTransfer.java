package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.TransferOptions;

/** A message being received. */
final class InboundTransfer extends ChunkedTransfer {
    /** 0 to {@link PulledStriping#MOST_PRIORITY}: the higher goes first. */
    int priority;

    /** The longest chunk that both sides can do. */
    long mostChunk;

    /** Bytes in their destination and visible to the GPU. */
    long landed;

    /** Chunks given to a channel that have not landed and were not taken back. */
    long inFlight;

    /** Where in the stream the next chunk begins that was never given to a channel. */
    long next;

    /** Where its bytes are pulled from; null where the peer sends them in chunks. */
    @Nullable PullSource source;

    /** Until then what was granted may come, once it is to end. */
    long owedUntil;

    /** Whether it waits for its send. */
    boolean unmatched;

    /** How many chunks were cut off so far. */
    long cut;

    InboundTransfer(long id, PieceMap map, @Nullable PeerPlace remote, TransferOptions options, Completion completion) {
        super(id, map, remote, options, completion);
    }

    /** Its peer's memory is not looked at any more. */
    void letGo() {
        PullSource s = source;
        if (s != null) {
            s.release();
        }
    }

    boolean hasNext() {
        return next < length;
    }

    /** Cuts the next chunk off the stream. @return its length */
    long cut() {
        long end = map.chunkEnd(next, mostChunk);
        long bytes = end - next;
        next = end;
        cut++;
        return bytes;
    }
}
