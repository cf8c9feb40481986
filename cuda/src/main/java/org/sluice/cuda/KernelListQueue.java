package org.sluice.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.sluice.spi.ListQueue;
import org.sluice.spi.PieceQueue;

/** Moves lists to lists by one kernel, scattered at both ends: over NVLink or PCIe to a peer's GPU, or on the device. */
@SuppressWarnings("restricted")
final class KernelListQueue implements ListQueue {
    /**
     * Blocks of a launch, one an SM, 512 threads each. Measured between two H100s over NVLink, lists of 4 to 256 KiB blocks: 16 SMs
     * move 341 to 346 GB/s, 132 move 363 to 371, of 386 that the copy engine reaches. Two launches may run at once.
     */
    private static final int BLOCKS = 16;

    /** A move may be a whole transfer: eight shares for each warp of a launch. */
    private static final int MOST_CUTS = 2048;

    /** All of it, so that reading a list makes no segments. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final PieceLauncher launcher;
    private final FarMemory far;
    /** Made once, and what it works on, so that a move allocates nothing. */
    private final Stretch write = this::write;

    private long position;
    private long share;

    KernelListQueue(CudaContext context, long function, FarMemory far, int moves, int pieces) {
        this.launcher = new PieceLauncher(context, function, BLOCKS, MOST_CUTS, moves, pieces);
        this.far = far;
    }

    @Override
    public boolean hasRoom(int pieces) {
        return launcher.hasRoom(pieces);
    }

    @Override
    public long enqueue(long sources, int sourceCount, long destinations, int destinationCount, long bytes) {
        int pieces = Math.addExact(sourceCount, destinationCount);
        launcher.checkRoom(pieces);
        if (!sums(sources, sourceCount, bytes) || !sums(destinations, destinationCount, bytes)) {
            throw launcher.wrongSum(pieces, bytes);
        }
        if (!far.isEmpty() && (isFar(sources, sourceCount) || isFar(destinations, destinationCount))) {
            // no kernel reaches it: a copy a stretch, which the driver leads through pinned memory
            long stream = launcher.stream();
            stretches(
                    sources,
                    sourceCount,
                    destinations,
                    (to, from, n) -> launcher.check(far.copy(to, from, n, stream), "copy of a peer's memory"));
            return launcher.issueDone(pieces);
        }
        return launcher.issue(write(sources, sourceCount, destinations, bytes), pieces, bytes);
    }

    private interface Stretch {
        void of(long destination, long source, long length);
    }

    private void write(long destination, long source, long length) {
        position = launcher.write(position, destination, source, length, share);
    }

    /** Each stretch that lies in one piece on either side is one of the launch's. */
    private long write(long sources, int sourceCount, long destinations, long bytes) {
        position = launcher.position();
        share = launcher.share(bytes);
        stretches(sources, sourceCount, destinations, write);
        return position;
    }

    private static void stretches(long sources, int sourceCount, long destinations, Stretch stretch) {
        int d = 0;
        long within = 0; // bytes of the destination's piece that are there
        for (int s = 0; s < sourceCount; s++) {
            long from = address(sources, s);
            for (long left = length(sources, s); left > 0; ) {
                long room = length(destinations, d) - within;
                long n = Math.min(left, room);
                if (n > 0) {
                    stretch.of(address(destinations, d) + within, from, n);
                }
                from += n;
                left -= n;
                within += n;
                if (n == room) {
                    d++;
                    within = 0;
                }
            }
        }
    }

    private boolean isFar(long list, int count) {
        for (int i = 0; i < count; i++) {
            if (length(list, i) > 0 && far.holds(address(list, i))) {
                return true;
            }
        }
        return false;
    }

    private boolean sums(long list, int count, long bytes) {
        long left = launcher.share(bytes) < 0 ? -1 : bytes;
        for (int i = 0; i < count && left >= 0; i++) {
            long length = length(list, i);
            left = length < 0 ? -1 : left - length;
        }
        return left == 0;
    }

    private static long address(long list, int i) {
        return MEMORY.get(ValueLayout.JAVA_LONG, list + (long) i * PieceQueue.PIECE_BYTES);
    }

    private static long length(long list, int i) {
        return MEMORY.get(ValueLayout.JAVA_LONG, list + (long) i * PieceQueue.PIECE_BYTES + Long.BYTES);
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
