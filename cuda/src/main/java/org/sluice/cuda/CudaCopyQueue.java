package org.sluice.cuda;

import org.sluice.spi.CopyQueue;

/** Copies on one stream: the copy engine's, no SM's. Belongs to the GPU's agent thread. */
final class CudaCopyQueue implements CopyQueue {
    /**
     * Copies that together reach this many bytes end with an event at once, so that the first of many big ones is known to be done
     * while the others run; small ones share the event that {@link #completed()} puts behind them.
     */
    private static final long EVENT_BYTES = 256 << 10;

    /** Which of the driver's copies it is. */
    enum Way {
        TO_HOST("cuMemcpyDtoHAsync"),
        TO_GPU("cuMemcpyHtoDAsync"),
        /** On the device, or between two that reach each other. */
        BETWEEN_GPUS("cuMemcpyDtoDAsync");

        private final String call;

        Way(String call) {
            this.call = call;
        }
    }

    private final CudaContext context;
    private final Way way;
    private final StreamTickets tickets;
    private long unmarkedBytes;

    CudaCopyQueue(CudaContext context, Way way, int capacity) {
        this.context = context;
        this.way = way;
        this.tickets = new StreamTickets(context, capacity);
    }

    @Override
    public long enqueue(long destination, long source, long bytes) {
        long ticket = tickets.issue();
        long stream = tickets.stream.handle;
        CudaDriver driver = context.driver();
        int result = switch (way) {
            case TO_HOST -> driver.memcpyToHost(destination, source, bytes, stream);
            case TO_GPU -> driver.memcpyToDevice(destination, source, bytes, stream);
            case BETWEEN_GPUS -> driver.memcpyOnDevice(destination, source, bytes, stream);
        };
        if (result != CudaDriver.SUCCESS) {
            throw context.failure(way.call, result);
        }
        unmarkedBytes += bytes;
        if (unmarkedBytes >= EVENT_BYTES) {
            mark();
        }
        return ticket;
    }

    private void mark() {
        unmarkedBytes = 0;
        tickets.mark();
    }

    @Override
    public boolean hasRoom() {
        return tickets.hasRoom();
    }

    @Override
    public long completed() {
        if (tickets.marked() != tickets.issued()) {
            mark();
        }
        return tickets.completed();
    }

    @Override
    public long enqueued() {
        return tickets.issued();
    }

    @Override
    public void close() {
        tickets.close();
    }
}
