package org.sluice.transfer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Brings the bytes of small transfers between memory and the frames that carry them, at once: by the CPU where it reaches the memory,
 * else by a copy that is waited for, which for so few bytes is sooner than a chunk's way. Belongs to the agent.
 */
@SuppressWarnings("restricted")
final class SmallBytes {
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final PieceQueues gpu;
    private @Nullable MemorySegment list;

    SmallBytes(PieceQueues gpu) {
        this.gpu = gpu;
    }

    private long list() {
        MemorySegment made = list;
        if (made == null) {
            made = Arena.ofAuto().allocate((PieceMap.MOST_PIECES + 1L) * PieceMap.VECTOR_BYTES, 8);
            list = made;
        }
        return made.address();
    }

    private interface Piece {
        void at(MemoryBlock block, long address, long offset, long bytes);
    }

    private void each(PieceMap map, Piece piece) {
        for (long at = 0; at < map.length; ) {
            long bytes = Math.min(map.length - at, map.mostChunk());
            int pieces = map.list(at, bytes, list());
            for (int i = 0; i < pieces; i++) {
                long length = PieceMap.vectorBytes(list(), i);
                piece.at(map.blockAt(at), PieceMap.vectorAddress(list(), i), at, length);
                at += length;
            }
        }
    }

    /** A copy of bytes whose memory is to be used for something else. */
    static @Nullable MemorySegment kept(@Nullable MemorySegment bytes) {
        return bytes == null ? null : MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_BYTE));
    }

    /** Copies a transfer's bytes to where they go from. */
    void get(PieceMap map, MemorySegment to) {
        each(map, (block, address, at, bytes) -> {
            if (block.memory().host().isPresent()) {
                MemorySegment.copy(MEMORY, address, to, at, bytes);
            } else {
                gpu.read(block.memory(), address - block.memory().address(), to.asSlice(at, bytes));
            }
        });
    }

    /** Puts a transfer's bytes to their places. They are visible to the GPU when it returns. */
    void put(PieceMap map, MemorySegment from) {
        each(map, (block, address, at, length) -> {
            if (block.memory().host().isPresent()) {
                MemorySegment.copy(from, at, MEMORY, address, length);
            } else {
                gpu.write(block.memory(), address - block.memory().address(), from.asSlice(at, length));
            }
        });
    }
}
