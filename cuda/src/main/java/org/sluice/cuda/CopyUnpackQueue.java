package org.sluice.cuda;

import org.sluice.spi.ScatterList;
import org.sluice.spi.UnpackQueue;

/** One copy on the device for each fragment: no SM time, and one driver call a fragment. */
final class CopyUnpackQueue implements UnpackQueue {
    private final CudaContext context;
    private final StreamTickets tickets;

    CopyUnpackQueue(CudaContext context, int capacity) {
        this.context = context;
        this.tickets = new StreamTickets(context, capacity);
    }

    @Override
    public long enqueue(ScatterList list, long destination, long bytes) {
        long ticket = tickets.issue();
        for (int i = 0; i < list.count(); i++) {
            if (list.length(i) > 0) {
                context.check(
                        context.driver()
                                .memcpyOnDevice(
                                        destination + list.destinationOffset(i),
                                        list.bounceBuffer() + list.sourceOffset(i),
                                        list.length(i),
                                        tickets.stream.handle),
                        "cuMemcpyDtoDAsync");
            }
        }
        return ticket;
    }

    @Override
    public boolean hasRoom() {
        return tickets.hasRoom();
    }

    @Override
    public void flush() {
        tickets.mark();
    }

    @Override
    public long completed() {
        return tickets.completed();
    }

    @Override
    public void close() {
        flush();
        tickets.close();
    }
}
