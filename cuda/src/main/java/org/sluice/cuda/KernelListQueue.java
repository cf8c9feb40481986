package org.sluice.cuda;

import org.sluice.spi.ListQueue;
import org.sluice.spi.PieceCursor;
import org.sluice.spi.PieceTable;

/**
 * Moves lists to lists by one kernel, scattered at both ends: over NVLink or PCIe to a peer's GPU, or on the device. The kernel finds
 * the pieces by itself, so a move costs the CPU the same however many it has, but for copying its tables.
 */
final class KernelListQueue implements ListQueue {
    /**
     * Blocks of a launch, one an SM. Measured between two H100s over NVLink, lists of 4 to 256 KiB blocks, 512 threads each: 16 SMs move
     * 341 to 346 GB/s, 132 move 363 to 371, of 386 that the copy engine reaches. Two launches may run at once.
     */
    private static final int BLOCKS = 40;

    /** Short pieces keep fewer bytes in flight a warp, so more warps are used. */
    private static final int MOST_BLOCKS = 128;

    private static final long SHORT_BYTES = 2048;

    // as in kernels.cu
    private static final int WARPS = 12;

    /** Of all tables in flight: 4 moves of 128 Ki blocks, or 32 Ki pieces, on both sides. */
    private static final long RING_BYTES = 4 << 20;

    private static final long TABLE_BYTES = RING_BYTES / 8;

    /** A table that is shorter is read where it lies: one way over PCIe takes as long as a copy's start. */
    private static final long COPIED_BYTES = 1024;

    /** Under way; what is flushed meanwhile shares the launch after them. */
    private static final int LAUNCHES = 2;

    private final CudaContext context;
    private final long function;
    private final FarMemory far;
    private final int capacity;
    private final StreamPair streams;
    private final TableRing tables;
    private final MoveLaunch launch;
    private final PieceCursor from = new PieceCursor();
    private final PieceCursor to = new PieceCursor();

    private long issued;
    private long launchedTicket;
    private long launchedTables;
    private long heldBytes;
    private long heldPieces;
    /** The highest ticket that was flushed. */
    private long flushed;

    KernelListQueue(CudaContext context, long function, FarMemory far, int moves) {
        this.context = context;
        this.function = function;
        this.far = far;
        this.capacity = moves;
        this.streams = new StreamPair(context, LAUNCHES);
        this.tables = new TableRing(context, RING_BYTES);
        this.launch = new MoveLaunch(tables);
    }

    @Override
    public long enqueue(PieceTable sources, PieceTable destinations, long offset, long most) {
        streams.checkWorks();
        ListQueue.check(sources, destinations, offset, most);
        long bytes = Math.min(most, Math.min(fits(sources, offset), fits(destinations, offset)));
        if (issued - streams.ticket() == capacity || launch.isFull()) {
            progress();
            if (issued - streams.ticket() == capacity || launch.isFull()) {
                return 0;
            }
        }
        if (!far.isEmpty() && (isFar(sources, offset, bytes) || isFar(destinations, offset, bytes))) {
            copies(sources, destinations, offset, bytes);
            return bytes;
        }
        if (!launch.add(sources, destinations, offset, bytes)) {
            progress();
            if (!launch.add(sources, destinations, offset, bytes)) {
                return 0;
            }
        }
        issued++;
        heldBytes += bytes;
        heldPieces += Math.max(pieces(sources, bytes), pieces(destinations, bytes));
        return bytes;
    }

    /** How much of a stream has no more pieces than a table has room for. */
    private static long fits(PieceTable of, long offset) {
        return switch (of) {
            case PieceTable.Rows r -> r.bytes() - offset;
            case PieceTable.Blocks b -> b.within(offset, (int) (TABLE_BYTES / Integer.BYTES));
            case PieceTable.Listed l -> l.within(offset, (int) (TABLE_BYTES / (2 * Long.BYTES)));
        };
    }

    /** About how many pieces so many bytes have. */
    private static long pieces(PieceTable of, long bytes) {
        return switch (of) {
            case PieceTable.Rows r -> bytes / r.blockBytes() + 1;
            case PieceTable.Blocks b -> bytes / b.blockBytes() + 1;
            case PieceTable.Listed l -> bytes / Math.max(1, l.bytes() / l.count()) + 1;
        };
    }

    private boolean isFar(PieceTable of, long offset, long bytes) {
        from.seek(of, offset);
        for (long left = bytes; left > 0; ) {
            if (far.holds(from.address())) {
                return true;
            }
            long n = Math.min(left, from.left());
            from.skip(n);
            left -= n;
        }
        return false;
    }

    /** No kernel reaches it: a copy a stretch, which the driver leads through pinned memory. Waits until a stream is free. */
    private void copies(PieceTable sources, PieceTable destinations, long offset, long bytes) {
        if (launchedTicket < issued) {
            streams.awaitFree();
            launch();
        }
        streams.awaitFree();
        tables.free(streams.mark());
        from.seek(sources, offset);
        to.seek(destinations, offset);
        for (long left = bytes; left > 0; ) {
            long n = Math.min(left, Math.min(from.left(), to.left()));
            streams.check(far.copy(to.address(), from.address(), n, streams.stream()), "copy of a peer's memory");
            from.skip(n);
            to.skip(n);
            left -= n;
        }
        issued++;
        launch();
    }

    @Override
    public void flush() {
        streams.checkWorks();
        flushed = issued;
        launchWhatIsFlushed();
    }

    private void launchWhatIsFlushed() {
        if (launchedTicket < flushed && streams.isFree()) {
            launch();
        }
    }

    /** Everything held back, flushed or not. */
    private void launch() {
        if (!launch.isEmpty()) {
            boolean copied = tables.head() - launchedTables > COPIED_BYTES;
            if (copied) {
                streams.check(
                        tables.copy(launchedTables, tables.head(), streams.stream()),
                        "cuMemcpyHtoDAsync of a list's pieces");
            }
            boolean isShort = heldBytes / Math.max(1, heldPieces) < SHORT_BYTES;
            int blocks = launch.deal(copied, WARPS, isShort ? MOST_BLOCKS : BLOCKS);
            int threads = 32 * WARPS;
            streams.check(
                    context.driver().launch(function, blocks, threads, streams.stream(), launch.parameters()),
                    "cuLaunchKernel of sluice_lists");
            launch.clear();
        }
        heldBytes = 0;
        heldPieces = 0;
        launchedTables = tables.head();
        launchedTicket = issued;
        flushed = issued;
        streams.launched(issued, launchedTables);
    }

    private void progress() {
        streams.progress();
        ended();
    }

    private void ended() {
        tables.free(streams.mark());
        launchWhatIsFlushed();
    }

    @Override
    public long completed() {
        streams.checkWorks();
        streams.poll();
        ended();
        return streams.ticket();
    }

    /** Waits for the streams, then frees all. Everything may fail in a broken context, and nothing is left then. */
    @Override
    public void close() {
        try {
            streams.await();
            if (!streams.isBroken()) {
                streams.progress();
                if (launchedTicket < issued) {
                    launch();
                }
                streams.await();
            }
        } finally {
            streams.close();
            tables.close();
            launch.close();
        }
    }
}
