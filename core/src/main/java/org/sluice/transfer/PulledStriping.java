package org.sluice.transfer;

import java.util.ArrayDeque;

/**
 * The adaptive rule, on the receiving side: whichever channel has room takes the next missing chunk, whatever its number. Fast
 * rails take more, a stalled rail takes none. Chunks that a broken channel had are taken back and go first.
 */
final class PulledStriping implements Striping<InboundTransfer> {
    private record Missing(InboundTransfer transfer, long offset) {}

    private final ArrayDeque<InboundTransfer> unfinished = new ArrayDeque<>();
    private final ArrayDeque<Missing> takenBack = new ArrayDeque<>();

    void add(InboundTransfer transfer) {
        if (transfer.hasNext()) {
            unfinished.add(transfer);
        }
    }

    /** A chunk that was given to a channel and did not land. Rare: allocates. */
    void takeBack(InboundTransfer transfer, long offset) {
        takenBack.add(new Missing(transfer, offset));
    }

    @Override
    public boolean next(int channel, ChunkPick<InboundTransfer> pick) {
        Missing missing = takenBack.poll();
        if (missing != null) {
            pick.set(missing.transfer, missing.offset);
            return true;
        }
        InboundTransfer transfer = unfinished.peek();
        if (transfer == null) {
            return false;
        }
        pick.set(transfer, transfer.next++ * transfer.chunkBytes);
        if (!transfer.hasNext()) {
            unfinished.remove();
        }
        return true;
    }
}
