package org.sluice.cuda;

import org.sluice.spi.CopyQueue;

/** Copies on one stream: the copy engine's, no SM's. Belongs to the GPU's agent thread. */
final class CudaCopyQueue implements CopyQueue {
    /**
     * Copies that together reach this many bytes end with an event at once, so that the first of many big ones is known to be done
     * while the others run; small ones share the event that {@link #completed()} puts behind them.
     */
    private static final long EVENT_BYTES = 256 << 10;

    /** One of the driver's copies. */
    interface Copy {
        /** @return the driver's result */
        int start(long destination, long source, long bytes, long stream);
    }

    private final CudaContext context;
    private final String call;
    private final Copy copy;
    private final StreamTickets tickets;
    private long unmarkedBytes;

    CudaCopyQueue(CudaContext context, String call, Copy copy, int capacity) {
        this.context = context;
        this.call = call;
        this.copy = copy;
        this.tickets = new StreamTickets(context, capacity);
    }

    @Override
    public long enqueue(long destination, long source, long bytes) {
        long ticket = tickets.issue();
        context.check(copy.start(destination, source, bytes, tickets.stream.handle), call);
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
