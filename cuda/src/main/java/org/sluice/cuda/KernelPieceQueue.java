package org.sluice.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.sluice.spi.PieceQueue;

/**
 * Moves lists by a kernel that reads or writes pinned host memory itself: no copy engine, no second copy through GPU memory.
 */
@SuppressWarnings("restricted")
final class KernelPieceQueue implements PieceQueue {
    /**
     * Blocks of a launch, one an SM, 512 threads each. Measured on H100 over PCIe 5, lists of 4 to 256 KiB blocks: 4 SMs gather
     * into pinned memory at 52.4 GB/s and scatter out of it at 50.8, of 55 that the copy engine reaches; 8 to 132 gain nothing.
     */
    private static final int BLOCKS = 4;

    /** A chunk of 512 KiB in shares of a warp. */
    private static final int MOST_CUTS = 128;

    /** All of it, so that reading a list makes no segments. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final PieceLauncher launcher;
    private final boolean gathers;

    KernelPieceQueue(CudaContext context, long function, Direction direction, int chunks, int pieces) {
        this.launcher = new PieceLauncher(context, function, BLOCKS, MOST_CUTS, chunks, pieces);
        this.gathers = direction == Direction.GATHER;
    }

    @Override
    public boolean hasRoom(int pieces) {
        return launcher.hasRoom(pieces);
    }

    @Override
    public long enqueue(long pieces, int count, long range, long bytes) {
        launcher.checkRoom(count);
        long end = write(pieces, count, range, bytes);
        if (end < 0) {
            throw launcher.wrongSum(count, bytes);
        }
        return launcher.issue(end, count, bytes);
    }

    /** @return the position behind the chunk's items, -1 when the pieces do not sum to the bytes */
    private long write(long pieces, int count, long range, long bytes) {
        long share = launcher.share(bytes);
        long at = launcher.position();
        long done = 0;
        for (int i = 0; i < count && share > 0; i++) {
            long pair = pieces + (long) i * PIECE_BYTES;
            long address = MEMORY.get(ValueLayout.JAVA_LONG, pair);
            long length = MEMORY.get(ValueLayout.JAVA_LONG, pair + Long.BYTES);
            if (length < 0 || length > bytes - done) {
                return -1;
            }
            long place = range + done;
            at = launcher.write(at, gathers ? place : address, gathers ? address : place, length, share);
            done += length;
        }
        return done == bytes ? at : -1;
    }

    @Override
    public void flush() {
        launcher.flush();
    }

    @Override
    public long completed() {
        return launcher.completed();
    }

    @Override
    public void close() {
        launcher.close();
    }
}
