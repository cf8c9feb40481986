package org.sluice.host;

import java.lang.foreign.MemorySegment;
import org.sluice.spi.ListQueue;
import org.sluice.spi.PieceCursor;
import org.sluice.spi.PieceTable;

/** Copies what two lists' pieces have in common, at once: every ticket is done when it is given out. */
@SuppressWarnings("restricted")
final class HostListQueue implements ListQueue {
    /** All of it, so that a piece makes no segments of its own. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final CopyWorkers workers;
    private long tickets;

    HostListQueue(CopyWorkers workers) {
        this.workers = workers;
    }

    @Override
    public long enqueue(PieceTable sources, PieceTable destinations, long offset, long most) {
        ListQueue.check(sources, destinations, offset, most);
        workers.copy(most, (at, some) -> move(sources, destinations, offset + at, some));
        tickets++;
        return most;
    }

    /** Any thread. */
    private static void move(PieceTable sources, PieceTable destinations, long offset, long bytes) {
        PieceCursor from = new PieceCursor();
        PieceCursor to = new PieceCursor();
        from.seek(sources, offset);
        to.seek(destinations, offset);
        for (long left = bytes; left > 0; ) {
            long n = Math.min(left, Math.min(from.left(), to.left()));
            MemorySegment.copy(MEMORY, from.address(), MEMORY, to.address(), n);
            from.skip(n);
            to.skip(n);
            left -= n;
        }
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
