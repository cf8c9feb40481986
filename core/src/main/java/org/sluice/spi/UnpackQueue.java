package org.sluice.spi;

/** Gathers scattered chunks into their destination on the GPU, in order. Belongs to the GPU's agent thread. */
public interface UnpackQueue extends AutoCloseable {
    /**
     * Queues one chunk. The list may be pointed elsewhere at once, but the descriptors stay as they are until the chunk is done: a
     * GPU that can read them may do so when it unpacks. The caller has run {@link ScatterList#check}. Backends may hold queued
     * chunks back to launch many at once, until {@link #flush}.
     *
     * @return the chunk's ticket: 1, 2, 3, ...
     * @throws IllegalStateException when as many chunks as the capacity are in flight
     */
    long enqueue(ScatterList list, long destination, long bytes);

    /**
     * Whether another chunk may be queued now: fewer than the capacity are in flight. Makes progress, never waits; what is held back
     * counts as in flight until a {@link #flush} has it done.
     */
    boolean hasRoom();

    /** Launches what is held back. Cheap when there is nothing. */
    void flush();

    /** The highest ticket that is done and visible to the GPU, 0 at first. Makes progress, never waits. */
    long completed();

    /** Waits for what is in flight, then frees the queue. */
    @Override
    void close();
}
