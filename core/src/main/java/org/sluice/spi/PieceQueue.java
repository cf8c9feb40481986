package org.sluice.spi;

/**
 * Moves the pieces of a list to one range of memory, or one range to the pieces, in order: what packs a chunk on its way out and
 * unpacks one on its way in. Belongs to the GPU's agent thread. Allocates nothing per chunk or piece.
 *
 * <p>A list is an array of pairs {@code {u64 address, u64 bytes}} in native memory, each a {@code struct iovec}. Pieces are memory
 * of this GPU, or of another one that it can reach; they may lie anywhere and be of any length, none included. Pieces that are
 * written may not overlap: which bytes win is then not said.
 *
 * <p>After a {@link GpuException} the queue is good for closing only: it calls nothing done any more.
 */
public interface PieceQueue extends AutoCloseable {
    /** Bytes of one pair of a list. */
    int PIECE_BYTES = 16;

    /** Which side the list is. */
    enum Direction {
        /** From the pieces to one range. */
        GATHER,
        /** From one range to the pieces. */
        SCATTER
    }

    /**
     * Whether a chunk of so many pieces may be queued now. Makes progress, never waits. What {@link #flush} has not launched yet
     * counts as in flight.
     *
     * @param pieces 0 to the capacity in pieces
     */
    boolean hasRoom(int pieces);

    /**
     * Queues one chunk. May hold it back, to launch many at once, until {@link #flush}.
     *
     * @param pieces native address of {@code count} pairs, a multiple of 8; read before this returns
     * @param count of pairs, from 0
     * @param range the side that lies in one piece: device memory of this GPU, or memory of {@link Gpu#allocatePinned}
     * @param bytes length of the range, and the sum of the pieces
     * @return the chunk's ticket: 1, 2, 3, ...
     * @throws IllegalArgumentException when the pieces do not sum to {@code bytes}; nothing is queued then
     * @throws IllegalStateException when there is no room, see {@link #hasRoom}
     */
    long enqueue(long pieces, int count, long range, long bytes);

    /**
     * Launches what is held back: one launch carries many chunks. While launches enough are under way to keep the GPU busy, what is
     * flushed waits for the first of them to end, and {@link #completed} launches it then.
     */
    void flush();

    /** The highest ticket that is done and visible, 0 at first: every ticket up to it is done. Makes progress, never waits. */
    long completed();

    /** Waits for what is in flight, then frees the queue. */
    @Override
    void close();
}
