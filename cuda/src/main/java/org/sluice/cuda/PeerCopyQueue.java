package org.sluice.cuda;

import org.sluice.spi.CopyQueue;

/**
 * Copies between this GPU's memory and a peer's by the copy engine, on two streams in turn: each copy's end costs an event and the next
 * one's start some microseconds, which is 6 % of a copy of 64 MiB on one stream alone. Belongs to the GPU's agent thread.
 */
final class PeerCopyQueue implements CopyQueue {
    private final FarMemory far;
    private final StreamPair streams;
    private long issued;

    PeerCopyQueue(CudaContext context, FarMemory far, int capacity) {
        this.far = far;
        this.streams = new StreamPair(context, capacity);
    }

    @Override
    public long enqueue(long destination, long source, long bytes) {
        streams.checkWorks();
        if (!hasRoom()) {
            throw new IllegalStateException("as many copies are in flight as the queue has room for");
        }
        streams.check(far.copy(destination, source, bytes, streams.stream()), "copy of a peer's memory");
        streams.launched(++issued, 0);
        return issued;
    }

    @Override
    public boolean hasRoom() {
        if (!streams.isFree()) {
            streams.progress();
        }
        return streams.isFree();
    }

    @Override
    public long completed() {
        streams.checkWorks();
        streams.poll();
        return streams.ticket();
    }

    @Override
    public long enqueued() {
        return issued;
    }

    /** Waits for what is in flight. */
    @Override
    public void close() {
        try {
            streams.await();
        } finally {
            streams.close();
        }
    }
}
