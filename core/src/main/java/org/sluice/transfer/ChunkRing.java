package org.sluice.transfer;

import java.lang.reflect.Array;
import org.jspecify.annotations.Nullable;

/**
 * The chunks of a channel that are under way, in the order in which they were taken: columns of a ring, so that a chunk allocates
 * nothing. Which step each is at, the channel counts. It begins small and grows to what the channel really has under way: of hundreds of
 * links most move little.
 */
final class ChunkRing<T extends ChunkedTransfer> {
    /** Nothing but the word that it does not come. */
    static final byte VOID = -1;

    /** From or to memory as it is. */
    static final byte DIRECT = 0;

    /** From or to a list of pieces. */
    static final byte LISTED = 1;

    /** Through a pinned slot, by the GPU's copy engine. */
    static final byte COPIED = 2;

    /** Through a slot, packed or unpacked by the GPU. */
    static final byte PACKED = 3;

    /** Gathered from the plugin's bounce pages. */
    static final byte GATHERED = 4;

    /** Gathered from the plugin's bounce pages into a slot, then unpacked from there. */
    static final byte GATHERED_PACKED = 5;

    /** What a ring begins with; grows by fours. */
    private static final int FIRST = 8;

    private Object[] transfer;
    long[] offset;
    long[] bytes;
    /** How a chunk's bytes go between the transport and their place. */
    byte[] way;
    /** The address that the transport is given: of the bytes, or of a list. */
    long[] place;
    /** Pieces of a list. */
    int[] pieces;
    /** Where a list ends in its ring. */
    long[] listEnd;
    /** The pinned slot that it goes through; {@link StagingShare#NONE} for none. */
    int[] lent;
    /** Of the queue that moves the chunk; 0 for none. */
    long[] ticket;
    /** Whether the GPU sees the bytes only after a fence. */
    boolean[] unseen;

    private final int most;
    private int mask;

    /** @param most chunks under way at once */
    ChunkRing(int most) {
        this.most = Integer.highestOneBit(Math.max(1, most * 2 - 1));
        int ring = Math.min(FIRST, this.most);
        mask = ring - 1;
        transfer = new Object[ring];
        offset = new long[ring];
        bytes = new long[ring];
        way = new byte[ring];
        place = new long[ring];
        pieces = new int[ring];
        listEnd = new long[ring];
        ticket = new long[ring];
        lent = new int[ring];
        unseen = new boolean[ring];
    }

    /**
     * Sees to room for the chunk {@code next} while those from {@code oldest} on are under way.
     *
     * @return whether the ring has become larger, so that slots that were asked for before are other ones now
     */
    boolean makeRoom(long oldest, long next) {
        if (next - oldest <= mask || mask + 1 == most) {
            return false;
        }
        int ring = Math.min(most, (mask + 1) * 4);
        transfer = moved(transfer, new Object[ring], oldest, next);
        offset = moved(offset, new long[ring], oldest, next);
        bytes = moved(bytes, new long[ring], oldest, next);
        way = moved(way, new byte[ring], oldest, next);
        place = moved(place, new long[ring], oldest, next);
        pieces = moved(pieces, new int[ring], oldest, next);
        listEnd = moved(listEnd, new long[ring], oldest, next);
        ticket = moved(ticket, new long[ring], oldest, next);
        lent = moved(lent, new int[ring], oldest, next);
        unseen = moved(unseen, new boolean[ring], oldest, next);
        mask = ring - 1;
        return true;
    }

    /** Each chunk's entry, in its new slot. */
    @SuppressWarnings("SuspiciousSystemArraycopy") // both are of the same type
    private <A> A moved(A from, A to, long oldest, long next) {
        int wider = Array.getLength(to) - 1;
        for (long n = oldest; n < next; n++) {
            System.arraycopy(from, (int) n & mask, to, (int) n & wider, 1);
        }
        return to;
    }

    int size() {
        return mask + 1;
    }

    /** Where the n-th chunk is. */
    int slot(long n) {
        return (int) n & mask;
    }

    void set(int slot, T of, long at, long length) {
        transfer[slot] = of;
        offset[slot] = at;
        bytes[slot] = length;
        ticket[slot] = 0;
        lent[slot] = StagingShare.NONE;
        unseen[slot] = false;
    }

    /** The chunk's transfer; null where it was taken back. */
    @SuppressWarnings("unchecked")
    @Nullable T peek(int slot) {
        return (T) transfer[slot];
    }

    T get(int slot) {
        T t = peek(slot);
        if (t == null) {
            throw new IllegalStateException("empty slot " + slot);
        }
        return t;
    }

    @SuppressWarnings("NullAway")
    void clear(int slot) {
        transfer[slot] = null;
    }
}
