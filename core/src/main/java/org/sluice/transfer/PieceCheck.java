package org.sluice.transfer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sluice.Pieces;
import org.sluice.TransferRefusal;

/** Checks a layout against the memory that it is to be of, piece by piece: what the peer names, and what the own program does. */
public final class PieceCheck {
    /** A bitmap of at most so many bits for each block listed; beyond, duplicates are found by sorting. */
    private static final int BITS_A_BLOCK = 64;

    private PieceCheck() {}

    /**
     * @param memory the regions' memory, in the order that the pieces count it
     * @param target whether the pieces are written to: they may not overlap then
     * @return why it cannot be; null where it can
     */
    public static @Nullable TransferRefusal check(MemoryBlock[] memory, Pieces pieces, boolean target) {
        boolean fits = switch (pieces) {
            case Pieces.Range r -> memory.length > 0 && isInside(memory[0], r.offset(), r.bytes());
            case Pieces.Blocks b -> memory.length > 0 && fits(memory[0], b);
            case Pieces.Strided s -> memory.length > 0 && fits(memory[0], s);
            case Pieces.Listed l -> fits(memory, l);
        };
        if (!fits) {
            return TransferRefusal.BOUNDS;
        }
        boolean overlaps = target
                && pieces.bytes() > 0
                && switch (pieces) {
                    case Pieces.Range r -> false;
                    case Pieces.Blocks b -> hasDuplicates(b);
                    case Pieces.Strided s -> overlaps(s);
                    case Pieces.Listed l -> overlaps(memory, l);
                };
        return overlaps ? TransferRefusal.OVERLAP : null;
    }

    private static boolean isInside(MemoryBlock block, long offset, long bytes) {
        return offset >= 0 && bytes >= 0 && bytes <= block.memory().size() - offset;
    }

    // the forms' constructors see to it that no sum here overflows

    private static boolean fits(MemoryBlock block, Pieces.Blocks b) {
        return b.count() == 0
                ? b.base() <= block.memory().size()
                : isInside(block, b.base() + b.most() * b.blockBytes(), b.blockBytes());
    }

    private static boolean fits(MemoryBlock block, Pieces.Strided s) {
        if (s.count() == 0) {
            return s.offset() <= block.memory().size();
        }
        long last = (s.innerCount() - 1) * s.stride() + (s.outerCount() - 1) * s.outerStride();
        return isInside(block, s.offset() + last, s.blockBytes());
    }

    private static boolean fits(MemoryBlock[] memory, Pieces.Listed l) {
        for (int i = 0; i < l.count(); i++) {
            int region = l.region(i);
            if (region >= memory.length || !isInside(memory[region], l.offset(i), l.length(i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean hasDuplicates(Pieces.Blocks b) {
        int count = (int) b.count();
        int most = b.most();
        if (most / BITS_A_BLOCK > count) {
            int[] sorted = b.indices();
            Arrays.sort(sorted);
            for (int i = 1; i < count; i++) {
                if (sorted[i] == sorted[i - 1]) {
                    return true;
                }
            }
            return false;
        }
        long[] seen = new long[most / Long.SIZE + 1];
        for (int i = 0; i < count; i++) {
            int index = b.index(i);
            long bit = 1L << index;
            if ((seen[index >>> 6] & bit) != 0) {
                return true;
            }
            seen[index >>> 6] |= bit;
        }
        return false;
    }

    private static boolean overlaps(Pieces.Strided s) {
        long inner = s.innerCount() == 1 ? Long.MAX_VALUE : s.stride();
        long outer = s.outerCount() == 1 ? Long.MAX_VALUE : s.outerStride();
        if (inner < s.blockBytes() || outer < s.blockBytes()) {
            return true;
        }
        // either whole rows follow on each other, or whole columns do
        if (s.innerCount() == 1
                || s.outerCount() == 1
                || (s.innerCount() - 1) * inner + s.blockBytes() <= outer
                || (s.outerCount() - 1) * outer + s.blockBytes() <= inner) {
            return false;
        }
        if (s.count() > Pieces.MOST) {
            return true; // woven into each other, and too many to look at
        }
        long[] starts = new long[(int) s.count()];
        int n = 0;
        for (long row = 0; row < s.outerCount(); row++) {
            for (long i = 0; i < s.innerCount(); i++) {
                starts[n++] = row * outer + i * inner;
            }
        }
        Arrays.sort(starts);
        for (int i = 1; i < n; i++) {
            if (starts[i] - starts[i - 1] < s.blockBytes()) {
                return true;
            }
        }
        return false;
    }

    /**
     * By addresses: two regions may be of the same memory. Beginnings and ends are sorted each by themselves: where the n-th end comes
     * before the next beginning, for every n, never more than one piece is open.
     */
    private static boolean overlaps(MemoryBlock[] memory, Pieces.Listed l) {
        int count = (int) l.count();
        long[] starts = new long[count];
        long[] ends = new long[count];
        int n = 0;
        boolean sorted = true;
        for (int i = 0; i < count; i++) {
            if (l.length(i) > 0) {
                starts[n] = memory[l.region(i)].memory().address() + l.offset(i);
                ends[n] = starts[n] + l.length(i);
                sorted &= n == 0 || starts[n] >= ends[n - 1];
                n++;
            }
        }
        if (sorted) {
            return false;
        }
        Arrays.sort(starts, 0, n);
        Arrays.sort(ends, 0, n);
        for (int i = 1; i < n; i++) {
            if (starts[i] < ends[i - 1]) {
                return true;
            }
        }
        return false;
    }
}
