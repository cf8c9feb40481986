package org.sluice;

import java.nio.IntBuffer;
import java.util.Arrays;

/**
 * Which bytes of one or several regions a {@link Layout} or {@link RemoteLayout} is made of: an ordered list of pieces, in the form
 * that says it with the least. Immutable. A piece may be empty; offsets count from the beginning of the region.
 *
 * <p>What is checked here is the form. Whether the pieces are inside their regions, and whether those that are written to overlap,
 * is checked when a transfer uses them.
 */
public sealed interface Pieces {
    /** The most pieces of a layout that are listed one by one. */
    int MOST = 1 << 20;

    /** How many there are. */
    long count();

    /** The sum of their lengths. */
    long bytes();

    /** One piece. */
    record Range(long offset, long bytes) implements Pieces {
        public Range {
            notNegative(offset, "offset");
            notNegative(bytes, "length");
            notTooLong(offset, bytes);
        }

        @Override
        public long count() {
            return 1;
        }
    }

    /** Blocks of one size: piece <i>i</i> begins at {@code base + index(i) * blockBytes}. */
    final class Blocks implements Pieces {
        private final long base;
        private final long blockBytes;
        private final int[] indices;
        private final int most;

        public Blocks(long base, long blockBytes, int[] indices) {
            notNegative(base, "base");
            notNegative(blockBytes, "block length");
            notTooMany(indices.length);
            this.base = base;
            this.blockBytes = blockBytes;
            this.indices = indices.clone();
            int highest = 0;
            int signs = 0;
            for (int index : this.indices) { // no branch: there may be a million
                signs |= index;
                highest = Math.max(highest, index);
            }
            if (signs < 0) {
                for (int index : this.indices) {
                    notNegative(index, "block index");
                }
            }
            this.most = highest;
            notTooLong(plus(base, times(highest, blockBytes)), blockBytes);
            long _ = times(indices.length, blockBytes);
        }

        public long base() {
            return base;
        }

        public long blockBytes() {
            return blockBytes;
        }

        public int index(int i) {
            return indices[i];
        }

        /** The highest of the indices; 0 where there are none. */
        public int most() {
            return most;
        }

        /** All of them, to be read only. */
        public IntBuffer indexBuffer() {
            return IntBuffer.wrap(indices).asReadOnlyBuffer();
        }

        /** A copy of them all. */
        public int[] indices() {
            return indices.clone();
        }

        @Override
        public long count() {
            return indices.length;
        }

        @Override
        public long bytes() {
            return blockBytes * indices.length;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Blocks b
                    && base == b.base
                    && blockBytes == b.blockBytes
                    && Arrays.equals(indices, b.indices);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(indices) + Long.hashCode(base) * 31 + Long.hashCode(blockBytes);
        }

        @Override
        public String toString() {
            return indices.length + " blocks of " + blockBytes + " bytes at " + base;
        }
    }

    /**
     * Pieces of one size at regular distances: {@code outerCount} rows, each of {@code count} pieces. Without rows, {@code outerCount}
     * is 1.
     */
    record Strided(long offset, long blockBytes, long stride, long innerCount, long outerStride, long outerCount)
            implements Pieces {
        public Strided {
            notNegative(offset, "offset");
            notNegative(blockBytes, "block length");
            notNegative(stride, "stride");
            notNegative(innerCount, "count");
            notNegative(outerStride, "outer stride");
            notNegative(outerCount, "outer count");
            long _ = times(times(innerCount, outerCount), blockBytes);
            long last =
                    plus(times(Math.max(0, innerCount - 1), stride), times(Math.max(0, outerCount - 1), outerStride));
            notTooLong(plus(offset, last), blockBytes);
        }

        @Override
        public long count() {
            return innerCount * outerCount;
        }

        @Override
        public long bytes() {
            return innerCount * outerCount * blockBytes;
        }
    }

    /** Any pieces, of any of the layout's regions. */
    final class Listed implements Pieces {
        private final int[] regions;
        private final long[] offsets;
        private final long[] lengths;
        private final long bytes;

        /** @param regions for each piece, which of the layout's regions it lies in */
        public Listed(int[] regions, long[] offsets, long[] lengths) {
            if (offsets.length != lengths.length || regions.length != lengths.length) {
                throw new IllegalArgumentException("a list has " + regions.length + " regions, " + offsets.length
                        + " offsets and " + lengths.length + " lengths");
            }
            notTooMany(lengths.length);
            this.regions = regions.clone();
            this.offsets = offsets.clone();
            this.lengths = lengths.clone();
            long sum = 0;
            for (int i = 0; i < lengths.length; i++) {
                notNegative(this.regions[i], "region number");
                notNegative(this.offsets[i], "offset");
                notNegative(this.lengths[i], "length");
                notTooLong(this.offsets[i], this.lengths[i]);
                notTooLong(sum, this.lengths[i]);
                sum += this.lengths[i];
            }
            this.bytes = sum;
        }

        public int region(int i) {
            return regions[i];
        }

        public long offset(int i) {
            return offsets[i];
        }

        public long length(int i) {
            return lengths[i];
        }

        @Override
        public long count() {
            return lengths.length;
        }

        @Override
        public long bytes() {
            return bytes;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Listed l
                    && Arrays.equals(regions, l.regions)
                    && Arrays.equals(offsets, l.offsets)
                    && Arrays.equals(lengths, l.lengths);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(regions) + 31 * Arrays.hashCode(offsets) + 17 * Arrays.hashCode(lengths);
        }

        @Override
        public String toString() {
            return lengths.length + " pieces of " + bytes + " bytes in all";
        }
    }

    private static void notNegative(long value, String what) {
        if (value < 0) {
            throw new IllegalArgumentException("the " + what + " of a layout is " + value + ", less than 0");
        }
    }

    private static void notTooMany(int count) {
        if (count > MOST) {
            throw new IllegalArgumentException(
                    "a layout lists " + count + " pieces, at most are " + MOST + "; use several transfers");
        }
    }

    private static void notTooLong(long offset, long bytes) {
        if (offset > Long.MAX_VALUE - bytes) {
            throw new IllegalArgumentException(bytes + " bytes from " + offset + " on are more than a layout can have");
        }
    }

    private static long plus(long a, long b) {
        notTooLong(a, b);
        return a + b;
    }

    private static long times(long a, long b) {
        try {
            return Math.multiplyExact(a, b);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(a + " times " + b + " bytes are more than a layout can have", e);
        }
    }
}
