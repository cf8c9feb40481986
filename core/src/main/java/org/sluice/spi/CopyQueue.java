package org.sluice.spi;

/**
 * Asynchronous copies between a GPU and pinned host memory, in one direction and in order (for CUDA: one stream, copy engines
 * only). Belongs to the GPU's agent thread. Allocates nothing per copy.
 */
public interface CopyQueue extends AutoCloseable {
    /** Which way the bytes go. */
    enum Direction {
        TO_HOST,
        TO_GPU
    }

    /**
     * Starts a copy and returns its ticket: 1 for the first of this queue, then 2, 3, ...
     *
     * @throws IllegalStateException when as many copies as the capacity are in flight
     */
    long enqueue(long destination, long source, long bytes);

    /** Whether another copy may be started now: fewer than the capacity are in flight. Makes progress, never waits. */
    boolean hasRoom();

    /** The highest ticket that is done, 0 at first: every ticket up to it is done. Makes progress, never waits. */
    long completed();

    /** The highest ticket given out, 0 at first. */
    long enqueued();

    /** Waits for what is in flight, then frees the queue. */
    @Override
    void close();
}
