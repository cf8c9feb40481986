package org.sluice.transfer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import org.sluice.Pieces;
import org.sluice.spi.PieceTable;

/**
 * Where the bytes of a transfer lie on one side: maps ranges of its stream to pieces of memory. Finding a place costs the same
 * wherever it is, or the logarithm of how many pieces there are; nothing is allocated. What it is made of is checked by {@link
 * PieceCheck} before.
 */
@SuppressWarnings("restricted")
public abstract sealed class PieceMap permits RangeMap, BlocksMap, StridedMap, ListMap {
    /** The most pieces of a chunk, but for one more where it begins in the middle of one. */
    static final int MOST_PIECES = 512;

    /** Bytes of one {@code struct iovec}. */
    static final int VECTOR_BYTES = 16;

    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final MemoryBlock[] blocks;
    final long length;
    /** Not of selections. */
    private @Nullable Pieces madeOf;

    PieceMap(MemoryBlock[] blocks, long length) {
        this.blocks = blocks;
        this.length = length;
    }

    /** Bytes of all pieces. */
    public final long length() {
        return length;
    }

    /** The pieces that it was made of; null where nobody knows. */
    final @Nullable Pieces madeOf() {
        return madeOf;
    }

    /** Its pieces as others are told of them, where they count its blocks as regions. May cost as much as they are. */
    abstract Pieces said();

    /** How many blocks of memory the pieces lie in. */
    final int blocks() {
        return blocks.length;
    }

    final MemoryBlock block(int i) {
        return blocks[i];
    }

    /** The same, for what moves lists to lists. */
    abstract PieceTable table();

    /** The block that the byte at {@code offset} lies in. */
    abstract MemoryBlock blockAt(long offset);

    /** A range of the stream of at most so many bytes has at most {@link #MOST_PIECES} pieces and one. */
    abstract long mostChunk();

    /** The address of a range of the stream, where it is known to lie in one piece; else -1. */
    abstract long address(long offset, long bytes);

    /**
     * Lists the pieces of a range of the stream, neighbours in memory as one.
     *
     * @param out native address of room for {@link #MOST_PIECES} and one vectors
     * @return how many there are
     */
    abstract int list(long offset, long bytes, long out);

    /** Where a chunk that begins at {@code offset} best ends, at most {@code most} bytes on: at the border of a piece where that saves work. */
    abstract long chunkEnd(long offset, long most);

    static void vector(long out, int n, long address, long bytes) {
        long at = out + (long) n * VECTOR_BYTES;
        MEMORY.set(ValueLayout.JAVA_LONG, at, address);
        MEMORY.set(ValueLayout.JAVA_LONG, at + Long.BYTES, bytes);
    }

    static long vectorAddress(long list, int n) {
        return MEMORY.get(ValueLayout.JAVA_LONG, list + (long) n * VECTOR_BYTES);
    }

    static long vectorBytes(long list, int n) {
        return MEMORY.get(ValueLayout.JAVA_LONG, list + (long) n * VECTOR_BYTES + Long.BYTES);
    }

    /** As {@link #chunkEnd}, for pieces of one size. */
    static long uniformEnd(long pieceBytes, long offset, long most, long length) {
        long furthest = Math.min(length, offset + most);
        if (pieceBytes >= most) {
            return Math.min(furthest, (offset / pieceBytes + 1) * pieceBytes);
        }
        long border = furthest - furthest % pieceBytes;
        return furthest < length && border > offset + most / 2 ? border : furthest;
    }

    /** {@code count} pieces' bytes, or the most there are where that is more. */
    static long times(long pieceBytes, int count) {
        return pieceBytes > Long.MAX_VALUE / count ? Long.MAX_VALUE : pieceBytes * count;
    }

    /** One range of a block. */
    public static PieceMap range(MemoryBlock block, long offset, long bytes) {
        return new RangeMap(block, offset, bytes);
    }

    /** No bytes at all. */
    static PieceMap nothing() {
        return new RangeMap(0);
    }

    /** @param blocks the memory of the regions that the pieces count; the pieces have been checked against it */
    public static PieceMap of(MemoryBlock[] blocks, Pieces pieces) {
        PieceMap map = make(blocks, pieces);
        map.madeOf = pieces;
        return map;
    }

    private static PieceMap make(MemoryBlock[] blocks, Pieces pieces) {
        return switch (pieces) {
            case Pieces.Range r -> range(blocks[0], r.offset(), r.bytes());
            case Pieces.Blocks b when b.bytes() == 0 -> range(blocks[0], 0, 0);
            case Pieces.Blocks b ->
                new BlocksMap(blocks[0], b.base(), b.blockBytes(), b.blockBytes(), b.indices(), (int) b.count());
            case Pieces.Strided s when s.bytes() == 0 -> range(blocks[0], 0, 0);
            case Pieces.Strided s when isOneRange(s) -> range(blocks[0], s.offset(), s.bytes());
            case Pieces.Strided s -> new StridedMap(blocks[0], s);
            case Pieces.Listed l -> ListMap.of(blocks, l);
        };
    }

    private static boolean isOneRange(Pieces.Strided s) {
        boolean row = s.innerCount() == 1 || s.stride() == s.blockBytes();
        return row && (s.outerCount() == 1 || s.outerStride() == s.innerCount() * s.blockBytes());
    }
}
