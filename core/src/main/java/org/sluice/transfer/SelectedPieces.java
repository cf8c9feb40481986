package org.sluice.transfer;

import java.nio.IntBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sluice.Pieces;
import org.sluice.TransferRefusal;

/** Some pieces of a prepared layout, by their numbers, for one transfer. Its arrays serve one selection after the other. */
public final class SelectedPieces {
    private static final Pieces NONE = new Pieces.Range(0, 0);

    private final SelectionPool pool;
    private Pieces of = NONE;
    private int[] indices = {};
    private int count;
    private int expected;

    /** A bit for each piece that is named, for targets alone. */
    private long[] seen = {};

    // where each lies, for layouts whose pieces are not numbered at regular distances
    private int[] places = {};
    private long[] addresses = {};
    private long[] ends = {};
    private int[] blockOf = {};
    private @Nullable PieceMap map;

    SelectedPieces(SelectionPool pool) {
        this.pool = pool;
    }

    void begin(Pieces pieces, int most) {
        of = pieces;
        expected = most;
        count = 0;
        map = null;
    }

    /** How many were said to come and have not. */
    int missing() {
        return expected - count;
    }

    int count() {
        return count;
    }

    /** Their numbers in the layout, {@link #count()} of them. */
    int[] indices() {
        return indices;
    }

    /** Some more, from the buffer's position on to its limit. Memory is taken as they come. @return false when one is no piece's */
    public boolean add(IntBuffer more) {
        int some = more.remaining();
        if (count + some > indices.length) {
            int room = Math.min(Math.max(count + some, 2 * indices.length), Math.max(count + some, expected));
            indices = Arrays.copyOf(indices, room);
        }
        more.get(indices, count, some);
        int pieces = countOf(of);
        boolean right = true;
        for (int i = count; i < count + some; i++) {
            right &= indices[i] >= 0 && indices[i] < pieces;
        }
        count += some;
        return right;
    }

    /** How many pieces there are to select from: no more than an index can count. */
    public static int countOf(Pieces pieces) {
        return (int) Math.min(pieces.count(), Integer.MAX_VALUE);
    }

    /** Whether a piece is named twice: not allowed where it is written to. */
    boolean hasDuplicates() {
        int pieces = countOf(of);
        int words = pieces / Long.SIZE + 1;
        if (count > pieces) {
            return true;
        }
        if (words > count + 1024) {
            return hasDuplicatesSorted();
        }
        if (seen.length < words) {
            seen = new long[words];
        } else {
            Arrays.fill(seen, 0, words, 0);
        }
        for (int i = 0; i < count; i++) {
            int index = indices[i];
            long bit = 1L << index;
            if ((seen[index >>> 6] & bit) != 0) {
                return true;
            }
            seen[index >>> 6] |= bit;
        }
        return false;
    }

    /** Few of very many. */
    private boolean hasDuplicatesSorted() {
        int[] sorted = places(count);
        System.arraycopy(indices, 0, sorted, 0, count);
        Arrays.sort(sorted, 0, count);
        for (int i = 1; i < count; i++) {
            if (sorted[i] == sorted[i - 1]) {
                return true;
            }
        }
        return false;
    }

    /**
     * Checks what was added, and makes of it where the bytes lie.
     *
     * @param memory the layout that it was begun with
     * @return why it cannot be; null where it can
     */
    public @Nullable TransferRefusal finish(PreparedPieces memory, boolean target) {
        TransferRefusal why = memory.check(target);
        if (why == null && target && hasDuplicates()) {
            why = TransferRefusal.OVERLAP;
        }
        if (why == null) {
            map = makeMap(memory.memory);
            why = map == null ? TransferRefusal.BOUNDS : null;
        }
        return why;
    }

    /** Where they lie, once {@linkplain #finish finished}. */
    public PieceMap map() {
        PieceMap made = map;
        if (made == null) {
            throw new IllegalStateException("a selection that was not checked");
        }
        return made;
    }

    /** The sum of their lengths; -1 where that is too long to be. */
    public long bytes() {
        return switch (of) {
            case Pieces.Range r -> times(r.bytes());
            case Pieces.Blocks b -> times(b.blockBytes());
            case Pieces.Strided s -> times(s.blockBytes());
            case Pieces.Listed l -> {
                long sum = 0;
                for (int i = 0; i < count && sum >= 0; i++) {
                    sum += l.length(indices[i]);
                }
                yield Math.max(-1, sum); // none is longer than the largest number: past that, it is negative once
            }
        };
    }

    private long times(long each) {
        return count > 0 && each > Long.MAX_VALUE / count ? -1 : each * count;
    }

    private int[] places(int least) {
        if (places.length < least) {
            places = new int[Math.max(least, indices.length)];
        }
        return places;
    }

    /** @return null where the sum of the lengths cannot be */
    private @Nullable PieceMap makeMap(MemoryBlock[] memory) {
        if (bytes() < 0) {
            return null;
        }
        return switch (of) {
            case Pieces.Range r -> uniform(memory[0], r.offset(), 0, r.bytes(), indices);
            case Pieces.Blocks b -> {
                int[] at = places(count);
                for (int i = 0; i < count; i++) {
                    at[i] = b.index(indices[i]);
                }
                yield uniform(memory[0], b.base(), b.blockBytes(), b.blockBytes(), at);
            }
            case Pieces.Strided s
            when s.outerCount() == 1 -> uniform(memory[0], s.offset(), s.stride(), s.blockBytes(), indices);
            case Pieces.Strided s
            when s.innerCount() == 1 -> uniform(memory[0], s.offset(), s.outerStride(), s.blockBytes(), indices);
            case Pieces.Strided s -> rows(memory, s);
            case Pieces.Listed l -> listed(memory, l);
        };
    }

    private PieceMap uniform(MemoryBlock block, long base, long unit, long blockBytes, int[] at) {
        return count == 0 || blockBytes == 0
                ? PieceMap.nothing()
                : new BlocksMap(block, base, unit, blockBytes, at, count);
    }

    private void listRoom() {
        if (addresses.length < count) {
            addresses = new long[indices.length];
            ends = new long[indices.length];
            blockOf = new int[indices.length];
        }
    }

    private PieceMap rows(MemoryBlock[] memory, Pieces.Strided s) {
        listRoom();
        long start = memory[0].memory().address() + s.offset();
        int used = s.blockBytes() == 0 ? 0 : count;
        for (int i = 0; i < used; i++) {
            long row = indices[i] / s.innerCount();
            addresses[i] = start + row * s.outerStride() + (indices[i] - row * s.innerCount()) * s.stride();
            ends[i] = (i + 1) * s.blockBytes();
            blockOf[i] = 0;
        }
        return ListMap.of(memory, addresses, ends, blockOf, used);
    }

    private PieceMap listed(MemoryBlock[] memory, Pieces.Listed l) {
        listRoom();
        int used = 0;
        long at = 0;
        for (int i = 0; i < count; i++) {
            int piece = indices[i];
            long length = l.length(piece);
            if (length > 0) {
                at += length;
                addresses[used] = memory[l.region(piece)].memory().address() + l.offset(piece);
                blockOf[used] = l.region(piece);
                ends[used++] = at;
            }
        }
        return ListMap.of(memory, addresses, ends, blockOf, used);
    }

    /** Nobody uses it or its map any more. */
    public void release() {
        map = null;
        of = NONE;
        pool.giveBack(this);
    }
}
