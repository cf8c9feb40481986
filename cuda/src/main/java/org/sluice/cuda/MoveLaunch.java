package org.sluice.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.sluice.spi.PieceTable;

/**
 * The parameters of {@code sluice_lists}: moves, and where the tables of their pieces are. Moves are added as they come; where the tables
 * are is said at the launch.
 */
@SuppressWarnings("restricted")
final class MoveLaunch implements AutoCloseable {
    // as in kernels.cu
    static final int MOST = 20;
    private static final long SIDE_BYTES = 72;
    private static final long SIDE_ORIGIN = 0;
    private static final long SIDE_TABLE = 8;
    private static final long SIDE_SKIPPED = 16;
    private static final long SIDE_COUNT = 24;
    private static final long SIDE_BLOCK = 32;
    private static final long SIDE_START = 40;
    private static final long SIDE_UNIT = 48;
    private static final long SIDE_INNER = 56;
    private static final long SIDE_ROW = 64;
    private static final long MOVE_BYTES = 2 * SIDE_BYTES + 24;
    private static final long MOVE_LENGTH = 2 * SIDE_BYTES;
    private static final long MOVE_STRETCH = MOVE_LENGTH + 8;
    private static final long MOVE_FIRST_WARP = MOVE_LENGTH + 16;
    private static final long MOVES = 8;

    /** What a warp is given at a time: eight 16-byte loads a lane, all in flight together. */
    private static final long SHARE = 4096;

    private static final long NO_TABLE = -1;

    private final TableRing tables;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment launch = arena.allocate(MOVES + MOST * MOVE_BYTES, 16);
    private final MemorySegment parameters = arena.allocate(ValueLayout.JAVA_LONG);
    private final long[] tableAt = new long[2 * MOST];
    private final long[] share = new long[MOST];
    private final long[] shares = new long[MOST];
    private int count;
    private long allShares;

    MoveLaunch(TableRing tables) {
        this.tables = tables;
        parameters.set(ValueLayout.JAVA_LONG, 0, launch.address());
    }

    boolean isEmpty() {
        return count == 0;
    }

    boolean isFull() {
        return count == MOST;
    }

    /** Address of the kernel's parameters. */
    long parameters() {
        return parameters.address();
    }

    /** @return whether there was room for its tables; nothing is added else */
    boolean add(PieceTable from, PieceTable to, long offset, long bytes) {
        long before = tables.head();
        long at = MOVES + count * MOVE_BYTES;
        if (!side(at, 2 * count, from, offset, bytes) || !side(at + SIDE_BYTES, 2 * count + 1, to, offset, bytes)) {
            tables.giveBack(before);
            return false;
        }
        launch.set(ValueLayout.JAVA_LONG, at + MOVE_LENGTH, bytes);
        share[count] = Math.min(share(from), share(to));
        shares[count] = (bytes + share[count] - 1) / share[count];
        allShares += shares[count];
        count++;
        return true;
    }

    /** What one warp moves at a time: whole pieces where they are short, equal parts of one where they are long. */
    private static long share(PieceTable of) {
        return switch (of) {
            case PieceTable.Rows r -> share(r.blockBytes());
            case PieceTable.Blocks b -> share(b.blockBytes());
            case PieceTable.Listed l -> Math.min(SHARE, Math.max(1, l.bytes() / l.count()));
        };
    }

    private static long share(long block) {
        if (block < SHARE + SHARE / 2) {
            return block;
        }
        long parts = (block + SHARE / 2) / SHARE;
        return block % (parts * 16) == 0 ? block / parts : SHARE;
    }

    private boolean side(long at, int slot, PieceTable of, long offset, long bytes) {
        long skipped = 0;
        long pieces;
        tableAt[slot] = NO_TABLE;
        set(at, SIDE_ORIGIN, offset);
        set(at, SIDE_INNER, 0);
        set(at, SIDE_ROW, 0);
        switch (of) {
            case PieceTable.Rows r -> {
                pieces = r.count();
                set(at, SIDE_BLOCK, r.blockBytes());
                set(at, SIDE_START, r.start());
                set(at, SIDE_UNIT, r.stride());
                set(at, SIDE_INNER, r.inner() >= r.count() ? 0 : r.inner());
                set(at, SIDE_ROW, r.rowStride());
            }
            case PieceTable.Blocks b -> {
                skipped = offset / b.blockBytes();
                pieces = (offset + bytes - 1) / b.blockBytes() - skipped + 1;
                long table = tables.take(pieces * Integer.BYTES);
                if (table < 0) {
                    return false;
                }
                MemorySegment.copy(
                        b.indices(), (int) skipped, tables.memory(), ValueLayout.JAVA_INT, tables.offset(table), (int)
                                pieces);
                tableAt[slot] = table;
                set(at, SIDE_BLOCK, b.blockBytes());
                set(at, SIDE_START, b.start());
                set(at, SIDE_UNIT, b.unit());
            }
            case PieceTable.Listed l -> {
                int first = l.find(offset);
                int n = l.find(offset + bytes - 1) - first + 1;
                long table = tables.take(2L * n * Long.BYTES);
                if (table < 0) {
                    return false;
                }
                long to = tables.offset(table);
                MemorySegment.copy(l.addresses(), first, tables.memory(), ValueLayout.JAVA_LONG, to, n);
                MemorySegment.copy(
                        l.ends(), first, tables.memory(), ValueLayout.JAVA_LONG, to + (long) n * Long.BYTES, n);
                tableAt[slot] = table;
                skipped = first;
                pieces = n;
                set(at, SIDE_BLOCK, 0);
                set(at, SIDE_START, l.begin(first));
                set(at, SIDE_UNIT, 0);
            }
        }
        set(at, SIDE_SKIPPED, skipped);
        set(at, SIDE_COUNT, pieces);
        return true;
    }

    private void set(long side, long field, long value) {
        launch.set(ValueLayout.JAVA_LONG, side + field, value);
    }

    /**
     * Deals warps to the moves, each as many as it has of the work.
     *
     * @param copied whether the tables are on the device
     * @param warps of a block
     * @param mostBlocks of the launch
     * @return blocks
     */
    int deal(boolean copied, int warps, int mostBlocks) {
        long most = (long) mostBlocks * warps - count; // each is rounded up
        long first = 0;
        for (int m = 0; m < count; m++) {
            long at = MOVES + m * MOVE_BYTES;
            long fair = Math.max(1, (long) ((double) most * shares[m] / allShares));
            long each = (shares[m] + fair - 1) / fair; // shares of a warp
            set(at, MOVE_STRETCH, each * share[m]);
            launch.set(ValueLayout.JAVA_INT, at + MOVE_FIRST_WARP, (int) first);
            first += (shares[m] + each - 1) / each;
            for (int s = 0; s < 2; s++) {
                long table = tableAt[2 * m + s];
                long address = table == NO_TABLE ? 0 : copied ? tables.onDevice(table) : tables.inPinned(table);
                set(at + s * SIDE_BYTES, SIDE_TABLE, address);
            }
        }
        launch.set(ValueLayout.JAVA_INT, 0, count);
        // few warps get an SM each
        return (int) Math.clamp(first, (first + warps - 1) / warps, mostBlocks);
    }

    /** Once it is launched. */
    void clear() {
        count = 0;
        allShares = 0;
    }

    @Override
    public void close() {
        arena.close();
    }
}
