package org.sluice.transfer;

import java.util.Arrays;
import org.sluice.Pieces;
import org.sluice.spi.PieceTable;

/** Blocks of one size of one block of memory, by their indices. */
final class BlocksMap extends PieceMap {
    private final long start;
    private final long unit;
    private final long blockBytes;
    private final int[] indices;
    private final int count;
    private final PieceTable table;

    /** @param unit how far apart two blocks are whose indices differ by 1; @param indices {@code count} of them, not copied */
    BlocksMap(MemoryBlock block, long base, long unit, long blockBytes, int[] indices, int count) {
        super(new MemoryBlock[] {block}, blockBytes * count);
        this.start = block.memory().address() + base;
        this.unit = unit;
        this.blockBytes = blockBytes;
        this.indices = indices;
        this.count = count;
        this.table = new PieceTable.Blocks(start, unit, blockBytes, indices, count);
    }

    @Override
    Pieces said() {
        long base = start - block(0).memory().address();
        if (unit == blockBytes) {
            return new Pieces.Blocks(
                    base, blockBytes, count == indices.length ? indices : Arrays.copyOf(indices, count));
        }
        long[] offsets = new long[count];
        long[] lengths = new long[count];
        for (int i = 0; i < count; i++) {
            offsets[i] = base + indices[i] * unit;
            lengths[i] = blockBytes;
        }
        return new Pieces.Listed(new int[count], offsets, lengths);
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
        return within + bytes <= blockBytes ? start + indices[(int) piece] * unit + within : -1;
    }

    @Override
    int list(long offset, long bytes, long out) {
        int piece = (int) (offset / blockBytes);
        long within = offset - piece * blockBytes;
        long at = start + indices[piece] * unit + within;
        long run = Math.min(blockBytes - within, bytes);
        long left = bytes - run;
        int n = 0;
        while (left > 0) {
            long next = start + indices[++piece] * unit;
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
