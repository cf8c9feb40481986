package org.sluice.transfer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Content that tells where it belongs: each little-endian 64-bit word is a function of a seed and of its place in the block, so
 * that a chunk at the wrong place, of another GPU or of another iteration does not compare. The CUDA kernels compute the same.
 *
 * <p>{@code x = (offset / 8 + seed) * 0x9E3779B97F4A7C15; word = x ^ (x >>> 29)}: one multiply a word, so that filling is not
 * what a benchmark measures. The factor is 2^64 / the golden ratio, made odd (Knuth's multiplicative hashing).
 */
public final class Pattern {
    private static final long FACTOR = 0x9E3779B97F4A7C15L;
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Pattern() {}

    /** A seed for the bytes that a GPU sends in an iteration; {@code sender} tells two directions apart (0 client, 1 server). */
    public static long seed(int sender, int gpu, long iteration) {
        long z = ((long) sender << 56) ^ ((long) gpu << 48) ^ iteration;
        // two rounds of a 64-bit finaliser, so that seeds of neighbours are far apart and their sequences do not
        // overlap
        z = (z ^ (z >>> 32)) * 0xD6E8FEB86659FD93L;
        z = (z ^ (z >>> 32)) * 0xD6E8FEB86659FD93L;
        return z ^ (z >>> 32);
    }

    static long word(long index, long seed) {
        long x = (index + seed) * FACTOR;
        return x ^ (x >>> 29);
    }

    /** Fills {@code block[offset, offset + bytes)}. @param offset a multiple of 8 */
    public static void fill(MemorySegment block, long offset, long bytes, long seed) {
        long first = firstWord(offset);
        MemorySegment range = block.asSlice(offset, bytes);
        long words = bytes / 8;
        for (long i = 0; i < words; i++) {
            range.set(WORD, i * 8, word(first + i, seed));
        }
        long last = word(first + words, seed);
        for (long at = words * 8; at < bytes; at++) {
            range.set(ValueLayout.JAVA_BYTE, at, (byte) (last >>> (8 * (at & 7))));
        }
    }

    /** The first offset in {@code block[offset, offset + bytes)} that differs from the pattern, or -1. */
    public static long mismatch(MemorySegment block, long offset, long bytes, long seed) {
        long first = firstWord(offset);
        MemorySegment range = block.asSlice(offset, bytes);
        long words = bytes / 8;
        for (long i = 0; i < words; i++) {
            long difference = range.get(WORD, i * 8) ^ word(first + i, seed);
            if (difference != 0) {
                return offset + i * 8 + Long.numberOfTrailingZeros(difference) / 8;
            }
        }
        long last = word(first + words, seed);
        for (long at = words * 8; at < bytes; at++) {
            if (range.get(ValueLayout.JAVA_BYTE, at) != (byte) (last >>> (8 * (at & 7)))) {
                return offset + at;
            }
        }
        return -1;
    }

    private static long firstWord(long offset) {
        if ((offset & 7) != 0) {
            throw new IllegalArgumentException("pattern offset " + offset + " is not a multiple of 8");
        }
        return offset >>> 3;
    }
}
