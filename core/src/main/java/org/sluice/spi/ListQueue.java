package org.sluice.spi;

/**
 * Moves a list of pieces to another list that is cut differently, in order: one step from where a transfer's bytes are to where they
 * belong, where this GPU reaches both (its own memory, a {@link PeerMemory}'s). Belongs to the GPU's agent thread. Allocates nothing
 * per transfer or piece. Lists are as {@link PieceQueue} describes them.
 */
public interface ListQueue extends AutoCloseable {
    /**
     * Whether two lists of so many pieces together may be queued now. Makes progress, never waits.
     *
     * @param pieces 0 to the capacity in pieces
     */
    boolean hasRoom(int pieces);

    /**
     * Queues a move. May hold it back, to launch many at once, until {@link #flush}.
     *
     * @param sources native address of {@code sourceCount} pairs, read before this returns
     * @param destinations native address of {@code destinationCount} pairs, likewise
     * @param bytes the sum of either list
     * @return the move's ticket: 1, 2, 3, ...
     * @throws IllegalArgumentException when a list does not sum to {@code bytes}; nothing is queued then
     * @throws IllegalStateException when there is no room, see {@link #hasRoom}
     */
    long enqueue(long sources, int sourceCount, long destinations, int destinationCount, long bytes);

    /** Launches what is held back, as {@link PieceQueue#flush} does. */
    void flush();

    /** The highest ticket that is done and visible, 0 at first. Makes progress, never waits. */
    long completed();

    /** Waits for what is in flight, then frees the queue. */
    @Override
    void close();
}
