package org.sluice.spi;

/**
 * Where the bytes of a stream lie in memory, on one side of a move: its pieces in order, in the form that takes the least to say. What
 * moves them finds the piece of any byte by itself, by arithmetic or by searching, so that nobody writes the pieces down one by one.
 * Nothing here is copied; the arrays stay as they are while the table is in use. No piece is empty.
 */
public sealed interface PieceTable {
    /** Bytes of the stream. */
    long bytes();

    /**
     * How far the stream goes from an offset on in so many pieces, one that is begun in its middle included.
     *
     * @param offset below {@link #bytes}
     * @param pieces at least 1
     * @return bytes, at least 1 and at most what is left of the stream
     */
    long within(long offset, int pieces);

    /**
     * Pieces of one size at regular distances: piece <i>i</i> begins at {@code start + i / inner * rowStride + i % inner * stride}.
     * A single range is one of them.
     *
     * @param blockBytes of each, at least 1
     * @param inner pieces of a row, at least 1
     * @param count of all
     */
    record Rows(long start, long blockBytes, long stride, long inner, long rowStride, long count)
            implements PieceTable {
        /** One range. */
        public static Rows range(long start, long bytes) {
            return new Rows(start, bytes, 0, 1, 0, 1);
        }

        @Override
        public long bytes() {
            return blockBytes * count;
        }

        @Override
        public long within(long offset, int pieces) {
            return uniform(blockBytes, bytes(), offset, pieces);
        }
    }

    /**
     * Pieces of one size by their numbers: piece <i>i</i> begins at {@code start + indices[i] * unit}.
     *
     * @param blockBytes of each, at least 1
     * @param indices none is negative; the first {@code count} count
     */
    @SuppressWarnings("ArrayRecordComponent") // not a value to compare
    record Blocks(long start, long unit, long blockBytes, int[] indices, int count) implements PieceTable {
        @Override
        public long bytes() {
            return blockBytes * count;
        }

        @Override
        public long within(long offset, int pieces) {
            return uniform(blockBytes, bytes(), offset, pieces);
        }
    }

    /**
     * Any pieces: piece <i>i</i> begins at {@code addresses[i]} and ends with byte {@code ends[i]} of the stream, exclusive. The first
     * {@code count} of both count, at least one.
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Listed(long[] addresses, long[] ends, int count) implements PieceTable {
        @Override
        public long bytes() {
            return ends[count - 1];
        }

        /** Which piece a byte of the stream is of. */
        public int find(long offset) {
            int low = 0;
            int high = count - 1;
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (ends[middle] > offset) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            return low;
        }

        /** Where a piece begins in the stream. */
        public long begin(int piece) {
            return piece == 0 ? 0 : ends[piece - 1];
        }

        @Override
        public long within(long offset, int pieces) {
            int last = (int) Math.min((long) find(offset) + pieces, count) - 1;
            return ends[last] - offset;
        }
    }

    private static long uniform(long blockBytes, long all, long offset, int pieces) {
        long end = offset / blockBytes + pieces;
        long left = all - offset;
        return end > all / blockBytes ? left : Math.min(left, end * blockBytes - offset);
    }
}
