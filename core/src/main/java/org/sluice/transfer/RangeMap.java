package org.sluice.transfer;

import org.sluice.Pieces;
import org.sluice.spi.PieceTable;

/** One range of one block. */
final class RangeMap extends PieceMap {
    private final long start;

    RangeMap(MemoryBlock block, long offset, long bytes) {
        super(new MemoryBlock[] {block}, bytes);
        this.start = block.memory().address() + offset;
    }

    /** Nowhere: of no bytes. */
    RangeMap(long start) {
        super(new MemoryBlock[0], 0);
        this.start = start;
    }

    @Override
    Pieces said() {
        return blocks() == 0
                ? new Pieces.Range(0, 0)
                : new Pieces.Range(start - block(0).memory().address(), length);
    }

    @Override
    PieceTable table() {
        return PieceTable.Rows.range(start, length);
    }

    @Override
    MemoryBlock blockAt(long offset) {
        return block(0);
    }

    @Override
    long mostChunk() {
        return Long.MAX_VALUE;
    }

    @Override
    long address(long offset, long bytes) {
        return start + offset;
    }

    @Override
    int list(long offset, long bytes, long out) {
        vector(out, 0, start + offset, bytes);
        return 1;
    }

    @Override
    long chunkEnd(long offset, long most) {
        return length - offset <= most ? length : offset + most;
    }
}
