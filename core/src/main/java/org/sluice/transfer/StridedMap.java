package org.sluice.transfer;

import org.sluice.Pieces;
import org.sluice.spi.PieceTable;

/** Rows of pieces of one size at regular distances. */
final class StridedMap extends PieceMap {
    private final long start;
    private final long blockBytes;
    private final long stride;
    private final long inner;
    private final long outerStride;
    private final PieceTable table;

    StridedMap(MemoryBlock block, Pieces.Strided s) {
        super(new MemoryBlock[] {block}, s.bytes());
        this.start = block.memory().address() + s.offset();
        this.blockBytes = s.blockBytes();
        this.stride = s.stride();
        this.inner = s.innerCount();
        this.outerStride = s.outerStride();
        this.table = new PieceTable.Rows(start, blockBytes, stride, inner, outerStride, s.count());
    }

    @Override
    Pieces said() {
        long offset = start - block(0).memory().address();
        return new Pieces.Strided(
                offset, blockBytes, stride, inner, outerStride, length / blockBytes / Math.max(1, inner));
    }

    @Override
    PieceTable table() {
        return table;
    }

    @Override
    MemoryBlock blockAt(long offset) {
        return block(0);
    }

    @Override
    long mostChunk() {
        return times(blockBytes, MOST_PIECES);
    }

    @Override
    long address(long offset, long bytes) {
        long piece = offset / blockBytes;
        long within = offset - piece * blockBytes;
        return within + bytes <= blockBytes ? piece(piece) + within : -1;
    }

    private long piece(long piece) {
        long row = piece / inner;
        return start + row * outerStride + (piece - row * inner) * stride;
    }

    @Override
    int list(long offset, long bytes, long out) {
        long piece = offset / blockBytes;
        long within = offset - piece * blockBytes;
        long at = piece(piece) + within;
        long run = Math.min(blockBytes - within, bytes);
        long left = bytes - run;
        int n = 0;
        while (left > 0) {
            long next = piece(++piece);
            long some = Math.min(blockBytes, left);
            if (next == at + run) {
                run += some;
            } else {
                vector(out, n++, at, run);
                at = next;
                run = some;
            }
            left -= some;
        }
        vector(out, n++, at, run);
        return n;
    }

    @Override
    long chunkEnd(long offset, long most) {
        return uniformEnd(blockBytes, offset, most, length);
    }
}
