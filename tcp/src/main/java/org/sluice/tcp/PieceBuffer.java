package org.sluice.tcp;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * One piece of memory for a message that is made of several or lies elsewhere, for what works on whole messages: checksums, ciphers and
 * drills. Takes none before it is used, and grows to the longest. Belongs to an I/O thread.
 */
@SuppressWarnings({"restricted", "MustBeClosedChecker"}) // close() closes the arena
final class PieceBuffer {
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final int PIECE_BYTES = 16;

    private @Nullable Arena arena;
    private MemorySegment buffer = MemorySegment.NULL;

    /** Room for a message. */
    long room(long bytes) {
        if (buffer.byteSize() < bytes) {
            close();
            Arena fresh = Arena.ofConfined();
            arena = fresh;
            buffer = fresh.allocate(bytes, 64);
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

    /** Gathers what is left of the pieces from {@code first} on, {@code within} bytes of it done. */
    long gatherRest(long pieces, int first, int count, long within, long bytes) {
        long at = room(bytes);
        long skip = within;
        for (int i = first; i < count; i++) {
            long length = length(pieces, i) - skip;
            MemorySegment.copy(MEMORY, address(pieces, i) + skip, MEMORY, at, length);
            at += length;
            skip = 0;
        }
        return buffer.address();
    }

    /** Copies bytes here. @return where they lie now */
    long copy(long from, long bytes) {
        long at = room(bytes);
        MemorySegment.copy(MEMORY, from, MEMORY, at, bytes);
        return at;
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

    /** Gives the memory back; it can be used again. */
    void close() {
        Arena old = arena;
        if (old != null) {
            old.close();
            arena = null;
            buffer = MemorySegment.NULL;
        }
    }
}
