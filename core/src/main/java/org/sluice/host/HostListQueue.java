package org.sluice.host;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.sluice.spi.ListQueue;
import org.sluice.spi.PieceQueue;

/** Copies what two lists' pieces have in common, at once: every ticket is done when it is given out. */
@SuppressWarnings("restricted")
final class HostListQueue implements ListQueue {
    /** All of it, so that a piece makes no segments of its own. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final int capacity;
    private long tickets;

    /** @param capacity the most pieces of a move, both lists together */
    HostListQueue(int capacity) {
        this.capacity = capacity;
    }

    @Override
    public boolean hasRoom(int pieces) {
        return pieces <= capacity;
    }

    @Override
    public long enqueue(long sources, int sourceCount, long destinations, int destinationCount, long bytes) {
        if ((long) sourceCount + destinationCount > capacity) {
            throw new IllegalStateException("a move of " + sourceCount + " and " + destinationCount
                    + " pieces is more than the " + capacity + " that this queue of a host GPU was made for");
        }
        HostPieceQueue.checkSum(sources, sourceCount, bytes);
        HostPieceQueue.checkSum(destinations, destinationCount, bytes);
        int d = 0;
        long within = 0; // bytes of the destination's piece that are there
        for (int s = 0; s < sourceCount; s++) {
            long from = address(sources, s);
            for (long left = HostPieceQueue.length(sources, s); left > 0; ) {
                long room = HostPieceQueue.length(destinations, d) - within;
                long n = Math.min(left, room);
                MemorySegment.copy(MEMORY, from, MEMORY, address(destinations, d) + within, n);
                from += n;
                left -= n;
                within += n;
                if (n == room) {
                    d++;
                    within = 0;
                }
            }
        }
        return ++tickets;
    }

    private static long address(long list, int i) {
        return MEMORY.get(ValueLayout.JAVA_LONG, list + (long) i * PieceQueue.PIECE_BYTES);
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
