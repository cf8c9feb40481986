package org.sluice.transfer;

import java.util.ArrayDeque;
import java.util.function.IntPredicate;

/**
 * On the receiving side, which grants: whichever channel has room takes the next missing chunk. Fast rails take more, a stalled rail
 * takes none. With round-robin striping, the seed's, chunk <i>i</i> of each transfer waits for channel <i>i mod N</i> instead, or
 * where that is lost, for whichever has room. Chunks that a broken channel had are taken back and go first.
 *
 * <p>Transfers take turns, a chunk's bytes each: a short one does not wait for a long one's end. Those of a higher priority go before
 * all others.
 */
final class PulledStriping implements Striping<InboundTransfer> {
    private record Missing(InboundTransfer transfer, long offset, long bytes) {}

    /** Priorities are from 0 to this. */
    static final int MOST_PRIORITY = 7;

    private final ArrayDeque<InboundTransfer>[] unfinished;
    private final ArrayDeque<Missing> takenBack = new ArrayDeque<>();
    private final long turnBytes;
    private final int channels;
    private final boolean roundRobin;
    private final IntPredicate isOpen;
    private int classes;
    private long turn;

    /**
     * @param turnBytes what a transfer may take before it is another's turn
     * @param isOpen whether a channel is there and not lost
     */
    @SuppressWarnings({"unchecked", "rawtypes"})
    PulledStriping(long turnBytes, int channels, boolean roundRobin, IntPredicate isOpen) {
        this.turnBytes = turnBytes;
        this.channels = channels;
        this.roundRobin = roundRobin;
        this.isOpen = isOpen;
        this.unfinished = new ArrayDeque[MOST_PRIORITY + 1];
        for (int p = 0; p <= MOST_PRIORITY; p++) {
            unfinished[p] = new ArrayDeque<>();
        }
    }

    void add(InboundTransfer transfer) {
        if (transfer.hasNext()) {
            unfinished[transfer.priority].add(transfer);
            classes |= 1 << transfer.priority;
        }
    }

    /** A transfer that is to have no more chunks. Rare: looks at all. */
    void remove(InboundTransfer transfer) {
        if (unfinished[transfer.priority].remove(transfer)) {
            turn = 0;
            gone(transfer.priority);
        }
        takenBack.removeIf(m -> m.transfer == transfer);
    }

    private void gone(int priority) {
        if (unfinished[priority].isEmpty()) {
            classes &= ~(1 << priority);
        }
    }

    /** A chunk that was given to a channel and did not land. Rare: allocates. */
    void takeBack(InboundTransfer transfer, long offset, long bytes) {
        takenBack.add(new Missing(transfer, offset, bytes));
    }

    @Override
    public boolean next(int channel, ChunkPick<InboundTransfer> pick) {
        Missing missing = takenBack.poll();
        if (missing != null) {
            pick.set(missing.transfer, missing.offset, missing.bytes);
            return true;
        }
        if (classes == 0) {
            return false;
        }
        int priority = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(classes);
        ArrayDeque<InboundTransfer> queue = unfinished[priority];
        InboundTransfer t = queue.element();
        if (roundRobin) {
            int own = (int) (t.cut % channels);
            if (own != channel && isOpen.test(own)) {
                return false;
            }
        }
        long at = t.next;
        long bytes = t.cut();
        pick.set(t, at, bytes);
        turn += bytes;
        if (!t.hasNext()) {
            queue.remove();
            turn = 0;
            gone(priority);
        } else if (turn >= turnBytes) {
            turn = 0;
            if (queue.size() > 1) {
                queue.add(queue.remove());
            }
        }
        return true;
    }
}
