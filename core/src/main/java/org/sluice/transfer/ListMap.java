package org.sluice.transfer;

import java.util.Arrays;
import org.sluice.Pieces;
import org.sluice.spi.PieceTable;

/** Any pieces of any blocks. Empty ones are left out. */
final class ListMap extends PieceMap {
    private final long[] addresses;
    /** Where each piece ends in the stream. */
    private final long[] ends;

    private final int[] blockOf;
    private final int count;
    private final long mostChunk;
    private final PieceTable table;
    /** Where the last search ended: chunks follow on each other. */
    private int last;

    private ListMap(MemoryBlock[] blocks, long length, long[] addresses, long[] ends, int[] blockOf, int count) {
        super(blocks, length);
        this.addresses = addresses;
        this.ends = ends;
        this.blockOf = blockOf;
        this.count = count;
        long least = Long.MAX_VALUE;
        for (int i = MOST_PIECES; i <= count; i++) {
            least = Math.min(least, ends[i - 1] - (i == MOST_PIECES ? 0 : ends[i - MOST_PIECES - 1]));
        }
        this.mostChunk = least;
        this.table = new PieceTable.Listed(addresses, ends, count);
    }

    static PieceMap of(MemoryBlock[] blocks, Pieces.Listed list) {
        int n = (int) list.count();
        long[] addresses = new long[n];
        long[] ends = new long[n];
        int[] blockOf = new int[n];
        int used = 0;
        long at = 0;
        for (int i = 0; i < n; i++) {
            if (list.length(i) > 0) {
                at += list.length(i);
                blockOf[used] = list.region(i);
                addresses[used] = blocks[list.region(i)].memory().address() + list.offset(i);
                ends[used++] = at;
            }
        }
        return of(blocks, addresses, ends, blockOf, used);
    }

    /** Of the first {@code used} of each, which are not copied; none of them is empty. */
    static PieceMap of(MemoryBlock[] blocks, long[] addresses, long[] ends, int[] blockOf, int used) {
        return used == 0 ? nothing() : new ListMap(blocks, ends[used - 1], addresses, ends, blockOf, used);
    }

    /** Which piece the byte at {@code offset} is of. */
    private int find(long offset) {
        int guess = last;
        if (begin(guess) > offset || ends[guess] <= offset) {
            if (guess + 1 < count && ends[guess] <= offset && offset < ends[guess + 1]) {
                guess++;
            } else {
                int found = Arrays.binarySearch(ends, 0, count, offset);
                guess = found >= 0 ? found + 1 : -found - 1; // an end is the next one's beginning
            }
            last = guess;
        }
        return guess;
    }

    private long begin(int piece) {
        return piece == 0 ? 0 : ends[piece - 1];
    }

    @Override
    Pieces said() {
        long[] offsets = new long[count];
        long[] lengths = new long[count];
        for (int i = 0; i < count; i++) {
            offsets[i] = addresses[i] - block(blockOf[i]).memory().address();
            lengths[i] = ends[i] - begin(i);
        }
        return new Pieces.Listed(Arrays.copyOf(blockOf, count), offsets, lengths);
    }

    @Override
    PieceTable table() {
        return table;
    }

    @Override
    MemoryBlock blockAt(long offset) {
        return block(blockOf[find(offset)]);
    }

    @Override
    long mostChunk() {
        return mostChunk;
    }

    @Override
    long address(long offset, long bytes) {
        int piece = find(offset);
        return offset + bytes <= ends[piece] ? addresses[piece] + offset - begin(piece) : -1;
    }

    @Override
    int list(long offset, long bytes, long out) {
        int piece = find(offset);
        long at = addresses[piece] + offset - begin(piece);
        long run = Math.min(ends[piece] - offset, bytes);
        long left = bytes - run;
        int n = 0;
        while (left > 0) {
            long next = addresses[++piece];
            long some = Math.min(ends[piece] - ends[piece - 1], left);
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
        long furthest = length - offset <= most ? length : offset + most;
        int piece = find(offset);
        if (ends[piece] - begin(piece) >= most) {
            return Math.min(furthest, ends[piece]); // a large piece, or what is left of it, by itself
        }
        if (furthest == length) {
            return furthest;
        }
        long border = begin(find(furthest));
        return border > offset + most / 2 ? border : furthest;
    }
}
