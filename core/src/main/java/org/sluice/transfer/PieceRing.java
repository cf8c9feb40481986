package org.sluice.transfer;

import java.lang.foreign.Arena;

/**
 * The lists of one channel's chunks that are under way: room for as many pieces as the chunks that a transport has at once, given back
 * in order. Native memory, made at the first list. Belongs to the agent.
 */
@SuppressWarnings("MustBeClosedChecker") // close() closes the arena
final class PieceRing implements AutoCloseable {
    private static final int CHUNK = PieceMap.MOST_PIECES + 1;

    /** 32 chunks of the most pieces; of larger pieces a whole window. */
    private static final int CAPACITY = 32 * CHUNK;

    private final Arena arena = Arena.ofShared();
    private final long memory =
            arena.allocate((long) CAPACITY * PieceMap.VECTOR_BYTES, 64).address();
    private long taken;
    private long freed;

    /** Whether a chunk of any number of pieces can be listed. */
    boolean hasRoom() {
        return begin() + CHUNK - freed <= CAPACITY;
    }

    /** Where the next list begins: a list does not go round the end. */
    private long begin() {
        long left = CAPACITY - taken % CAPACITY;
        return left < CHUNK ? taken + left : taken;
    }

    /** Native address of room for a chunk's list. */
    long room() {
        return memory + begin() % CAPACITY * PieceMap.VECTOR_BYTES;
    }

    /** Keeps a list that was written to {@link #room}. @return its end, to be given to {@link #freeUpTo} */
    long keep(int pieces) {
        taken = begin() + pieces;
        return taken;
    }

    /** The list that ended here is not used any more, nor are those before it. */
    void freeUpTo(long end) {
        freed = end;
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
