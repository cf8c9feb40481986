package org.sluice.transfer;

import java.lang.foreign.Arena;

/**
 * The lists of one step, both sides', as a {@link org.sluice.spi.ListQueue} takes them: as many bytes as either has room for. Native
 * memory, used again for each step. Belongs to the agent.
 */
@SuppressWarnings("MustBeClosedChecker") // close() closes the arena
final class PullLists implements AutoCloseable {
    /** Pieces of either list: a step of 32 MiB in pages of 4 KiB. */
    static final int MOST = 8192;

    private static final int ROOM = MOST + PieceMap.MOST_PIECES + 1;

    private final Arena arena = Arena.ofShared();
    private final long from = room();
    private final long to = room();
    private int fromCount;
    private int toCount;
    /** Of the list that was filled last. */
    private int count;

    private long room() {
        return arena.allocate((long) ROOM * PieceMap.VECTOR_BYTES, 64).address();
    }

    long from() {
        return from;
    }

    int fromCount() {
        return fromCount;
    }

    long to() {
        return to;
    }

    int toCount() {
        return toCount;
    }

    /** Lists a step from {@code offset} on. @return its bytes, at most {@code most} */
    long fill(PieceMap source, PieceMap target, long offset, long most) {
        long bytes = fill(source, offset, most, from);
        fromCount = count;
        long fits = fill(target, offset, bytes, to);
        toCount = count;
        if (fits < bytes) {
            fromCount = cut(from, fromCount, bytes - fits);
        }
        return fits;
    }

    private long fill(PieceMap map, long offset, long most, long out) {
        count = 0;
        long at = 0;
        while (at < most && count < MOST) {
            long some = Math.min(most - at, map.mostChunk());
            count += map.list(offset + at, some, out + (long) count * PieceMap.VECTOR_BYTES);
            at += some;
        }
        return at;
    }

    /** Takes bytes off a list's end. @return how many pieces are left */
    private static int cut(long list, int count, long bytes) {
        int n = count;
        for (long left = bytes; left > 0; ) {
            long length = PieceMap.vectorBytes(list, n - 1);
            if (length <= left) {
                n--;
                left -= length;
            } else {
                PieceMap.vector(list, n - 1, PieceMap.vectorAddress(list, n - 1), length - left);
                left = 0;
            }
        }
        return n;
    }

    @Override
    public void close() {
        arena.close();
    }
}
