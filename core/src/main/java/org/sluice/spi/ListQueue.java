package org.sluice.spi;

/**
 * Moves a stream from where its bytes lie to where they belong, both in any pieces: one step of a transfer, where this GPU reaches both
 * (its own memory, a {@link PeerMemory}'s). Belongs to the GPU's agent thread. What a move costs the caller does not depend on how many
 * pieces it has, but for copying the tables. Pieces that are written may not overlap: which bytes win is then not said.
 *
 * <p>After a {@link GpuException} the queue is good for closing only: it calls nothing done any more.
 */
public interface ListQueue extends AutoCloseable {
    /**
     * Queues a move of the bytes from {@code offset} on, as many as are wanted or there is room for. May hold it back, to launch many at
     * once, until {@link #flush}. Makes progress, never waits.
     *
     * @param offset in both streams
     * @param most at least 1, and at most what either stream has from there on
     * @return how many bytes were taken, whose move has the next ticket: 1, 2, 3, ...; 0 where there is no room now
     * @throws IllegalArgumentException when either stream ends before
     */
    long enqueue(PieceTable sources, PieceTable destinations, long offset, long most);

    /** Launches what is held back, as {@link PieceQueue#flush} does. */
    void flush();

    /** The highest ticket that is done and visible, 0 at first. Makes progress, never waits. */
    long completed();

    /** Waits for what is in flight, then frees the queue. */
    @Override
    void close();

    /** @throws IllegalArgumentException when either stream ends before, or nothing is to be moved */
    static void check(PieceTable sources, PieceTable destinations, long offset, long most) {
        if (offset < 0 || most < 1 || most > sources.bytes() - offset || most > destinations.bytes() - offset) {
            throw new IllegalArgumentException("a move of " + most + " bytes from " + offset
                    + " on, of lists that have " + sources.bytes() + " and " + destinations.bytes());
        }
    }
}
