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
    /** Those of {@link #unfinished} that are short, which may go before their turn. */
    private final ArrayDeque<InboundTransfer>[] shorts;

    private final ArrayDeque<Missing> takenBack = new ArrayDeque<>();
    private final long turnBytes;
    private final int channels;
    private final boolean roundRobin;
    private final IntPredicate isOpen;
    private int classes;
    private int waiting;
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
        this.shorts = new ArrayDeque[MOST_PRIORITY + 1];
        for (int p = 0; p <= MOST_PRIORITY; p++) {
            unfinished[p] = new ArrayDeque<>(1); // few priorities are in use; they grow
            shorts[p] = new ArrayDeque<>(1);
        }
    }

    void add(InboundTransfer transfer) {
        if (transfer.hasNext()) {
            unfinished[transfer.priority].add(transfer);
            classes |= 1 << transfer.priority;
            waiting++;
            if (transfer.length <= turnBytes) {
                shorts[transfer.priority].add(transfer);
            }
        }
    }

    /** Transfers that have chunks to give. */
    int waiting() {
        return waiting;
    }

    /** Whether one of a turn's bytes at the most is among those that go first, and nothing was taken back. */
    boolean hasShort() {
        if (classes == 0 || !takenBack.isEmpty()) {
            return false;
        }
        ArrayDeque<InboundTransfer> queue = shorts[highest()];
        while (!queue.isEmpty() && !queue.element().hasNext()) {
            queue.remove(); // it went in its turn
        }
        return !queue.isEmpty();
    }

    /** Chooses its next chunk, whosever turn it is. @return false when there is none */
    boolean nextShort(ChunkPick<InboundTransfer> pick) {
        if (!hasShort()) {
            return false;
        }
        int priority = highest();
        InboundTransfer t = shorts[priority].element();
        long at = t.next;
        pick.set(t, at, t.cut());
        if (!t.hasNext()) {
            shorts[priority].remove();
            waiting--;
            dropGone(priority);
        }
        return true;
    }

    private int highest() {
        return Integer.SIZE - 1 - Integer.numberOfLeadingZeros(classes);
    }

    /** Those that went before their turn. */
    private void dropGone(int priority) {
        ArrayDeque<InboundTransfer> queue = unfinished[priority];
        while (!queue.isEmpty() && !queue.element().hasNext()) {
            queue.remove();
            turn = 0;
        }
        gone(priority);
    }

    /** A transfer that is to have no more chunks. Rare: looks at all. */
    void remove(InboundTransfer transfer) {
        if (unfinished[transfer.priority].remove(transfer) && transfer.hasNext()) {
            turn = 0;
            waiting--;
            shorts[transfer.priority].remove(transfer);
            dropGone(transfer.priority);
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
    public boolean hasNext(int channel) {
        return classes != 0 || !takenBack.isEmpty();
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
        int priority = highest();
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
            waiting--;
            dropGone(priority);
        } else if (turn >= turnBytes) {
            turn = 0;
            if (queue.size() > 1) {
                queue.add(queue.remove());
                dropGone(priority);
            }
        }
        return true;
    }
}
