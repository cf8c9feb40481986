package org.sluice.transfer;

import org.jspecify.annotations.Nullable;

/**
 * The chunks of a channel that are under way, in the order in which they were taken: columns of a ring, so that a chunk allocates
 * nothing. Which step each is at, the channel counts.
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

    private final Object[] transfer;
    final long[] offset;
    final long[] bytes;
    /** How a chunk's bytes go between the transport and their place. */
    final byte[] way;
    /** The address that the transport is given: of the bytes, or of a list. */
    final long[] place;
    /** Pieces of a list. */
    final int[] pieces;
    /** Where a list ends in its ring. */
    final long[] listEnd;
    /** Of the queue that moves the chunk; 0 for none. */
    final long[] ticket;
    /** Whether the GPU sees the bytes only after a fence. */
    final boolean[] unseen;

    private final int mask;

    /** @param most chunks under way at once */
    ChunkRing(int most) {
        int ring = Integer.highestOneBit(Math.max(1, most * 2 - 1));
        mask = ring - 1;
        transfer = new Object[ring];
        offset = new long[ring];
        bytes = new long[ring];
        way = new byte[ring];
        place = new long[ring];
        pieces = new int[ring];
        listEnd = new long[ring];
        ticket = new long[ring];
        unseen = new boolean[ring];
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
