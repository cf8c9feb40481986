package org.sluice.host;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.sluice.spi.PieceQueue;

/** Copies piece by piece, at once: every ticket is done when it is given out. */
@SuppressWarnings("restricted")
final class HostPieceQueue implements PieceQueue {
    /** All of it, so that a piece makes no segments of its own. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final boolean gathers;
    private final int capacity;
    private long tickets;

    /** @param capacity the most pieces of a chunk: more would fit here, but on no other GPU */
    HostPieceQueue(Direction direction, int capacity) {
        this.gathers = direction == Direction.GATHER;
        this.capacity = capacity;
    }

    @Override
    public boolean hasRoom(int pieces) {
        return pieces <= capacity;
    }

    @Override
    public long enqueue(long pieces, int count, long range, long bytes) {
        if (count > capacity) {
            throw new IllegalStateException("a chunk of " + count + " pieces is more than the " + capacity
                    + " that this queue of a host GPU was made for");
        }
        checkSum(pieces, count, bytes);
        long at = range;
        for (int i = 0; i < count; i++) {
            long address = MEMORY.get(ValueLayout.JAVA_LONG, pieces + (long) i * PIECE_BYTES);
            long length = length(pieces, i);
            if (gathers) {
                MemorySegment.copy(MEMORY, address, MEMORY, at, length);
            } else {
                MemorySegment.copy(MEMORY, at, MEMORY, address, length);
            }
            at += length;
        }
        return ++tickets;
    }

    /** Before a byte is moved: a wrong list must not write beyond the range. */
    static void checkSum(long pieces, int count, long bytes) {
        long left = bytes;
        for (int i = 0; i < count; i++) {
            long length = length(pieces, i);
            if (length < 0 || length > left) {
                left = -1;
                break;
            }
            left -= length;
        }
        if (left != 0) {
            throw new IllegalArgumentException(
                    "the " + count + " pieces of a chunk on a host GPU do not sum to its " + bytes + " bytes");
        }
    }

    static long length(long pieces, int i) {
        return MEMORY.get(ValueLayout.JAVA_LONG, pieces + (long) i * PIECE_BYTES + Long.BYTES);
    }

    @Override
    public void flush() {}

    @Override
    public long completed() {
        return tickets;
    }

    @Override
    public void close() {}
}
