package org.sluice.tcp;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * One piece of memory for a message that is made of several, for what works on whole messages: checksums, ciphers and drills. Grows
 * to the longest. Belongs to a lane's thread; {@link #close} comes when that has left.
 */
@SuppressWarnings({"restricted", "MustBeClosedChecker"}) // close() closes the arena
final class PieceBuffer {
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final int PIECE_BYTES = 16;

    private Arena arena = Arena.ofShared();
    private MemorySegment buffer = MemorySegment.NULL;

    /** Room for a message. */
    long room(long bytes) {
        if (buffer.byteSize() < bytes) {
            arena.close();
            arena = Arena.ofShared();
            buffer = arena.allocate(bytes, 64);
        }
        return buffer.address();
    }

    /** Gathers the pieces. @return where they lie now */
    long gather(long pieces, int count, long bytes) {
        long at = room(bytes);
        for (int i = 0; i < count; i++) {
            long length = length(pieces, i);
            MemorySegment.copy(MEMORY, address(pieces, i), MEMORY, at, length);
            at += length;
        }
        return buffer.address();
    }

    /** Puts what {@link #room} holds to its places. */
    void scatter(long pieces, int count) {
        long at = buffer.address();
        for (int i = 0; i < count; i++) {
            long length = length(pieces, i);
            MemorySegment.copy(MEMORY, at, MEMORY, address(pieces, i), length);
            at += length;
        }
    }

    private static long address(long pieces, int i) {
        return MEMORY.get(ValueLayout.JAVA_LONG, pieces + (long) i * PIECE_BYTES);
    }

    private static long length(long pieces, int i) {
        return MEMORY.get(ValueLayout.JAVA_LONG, pieces + (long) i * PIECE_BYTES + Long.BYTES);
    }

    /** Idempotent. */
    void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
