package org.sluice.transfer;

import java.util.Arrays;

/**
 * What the receiver has granted on one channel and is not taken yet, in order. Begins small and grows as far as the window allows, so that
 * a grant allocates nothing on a channel that has been in use.
 */
final class GrantRing {
    /** What a ring begins with; grows by fours. */
    private static final int FIRST = 8;

    private final int most;
    private OutboundTransfer[] transfers;
    private long[] offsets;
    private long[] lengths;
    private long head;
    private long tail;

    /** @param most grants at once, a power of two */
    GrantRing(int most) {
        this.most = most;
        int first = Math.min(FIRST, most);
        transfers = new OutboundTransfer[first];
        offsets = new long[first];
        lengths = new long[first];
    }

    /** @return false when it is full */
    boolean add(OutboundTransfer transfer, long offset, long bytes) {
        if (tail - head == transfers.length && !grow()) {
            return false;
        }
        int slot = slot(tail++);
        transfers[slot] = transfer;
        transfer.granted++;
        offsets[slot] = offset;
        lengths[slot] = bytes;
        return true;
    }

    /** Takes the oldest. @return false when there is none */
    boolean take(ChunkPick<OutboundTransfer> pick) {
        if (head == tail) {
            return false;
        }
        int slot = slot(head++);
        transfers[slot].granted--;
        pick.set(transfers[slot], offsets[slot], lengths[slot]);
        return true;
    }

    boolean isEmpty() {
        return head == tail;
    }

    void clear() {
        for (long n = head; n < tail; n++) {
            transfers[slot(n)].granted--;
        }
        head = tail;
    }

    private boolean grow() {
        int length = transfers.length;
        if (length == most) {
            return false;
        }
        // it is full: unrolled from its oldest, the entries are in the order in which they were granted
        int oldest = slot(head);
        int larger = Math.min(most, length * 4);
        OutboundTransfer[] t = Arrays.copyOfRange(transfers, oldest, oldest + larger);
        long[] o = Arrays.copyOfRange(offsets, oldest, oldest + larger);
        long[] l = Arrays.copyOfRange(lengths, oldest, oldest + larger);
        System.arraycopy(transfers, 0, t, length - oldest, oldest);
        System.arraycopy(offsets, 0, o, length - oldest, oldest);
        System.arraycopy(lengths, 0, l, length - oldest, oldest);
        transfers = t;
        offsets = o;
        lengths = l;
        head = 0;
        tail = length;
        return true;
    }

    private int slot(long n) {
        return (int) n & (transfers.length - 1);
    }
}
