package org.sluice.cuda;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.ScatterList;
import org.sluice.spi.UnpackQueue;

/**
 * Fragments to a pinned buffer, each at its place, and the whole back to the device. One stream does it all, so the buffer serves
 * chunk after chunk: the next one's fragments wait for this one's way back.
 */
final class HostUnpackQueue implements UnpackQueue {
    private final CudaContext context;
    private final StreamTickets tickets;
    private @Nullable PinnedMemory buffer;

    HostUnpackQueue(CudaContext context, int capacity) {
        this.context = context;
        this.tickets = new StreamTickets(context, capacity);
    }

    @Override
    public long enqueue(ScatterList list, long destination, long bytes) {
        long ticket = tickets.issue();
        if (bytes == 0) {
            return ticket;
        }
        long stream = tickets.stream.handle;
        long at = buffer(bytes).address();
        for (int i = 0; i < list.count(); i++) {
            if (list.length(i) > 0) {
                context.check(
                        context.driver()
                                .memcpyToHost(
                                        at + list.destinationOffset(i),
                                        list.bounceBuffer() + list.sourceOffset(i),
                                        list.length(i),
                                        stream),
                        "cuMemcpyDtoHAsync");
            }
        }
        context.check(context.driver().memcpyToDevice(destination, at, bytes, stream), "cuMemcpyHtoDAsync");
        return ticket;
    }

    private PinnedMemory buffer(long bytes) {
        if (buffer == null || buffer.size() < bytes) {
            if (buffer != null) {
                tickets.stream.await("an unpack through the host");
                buffer.close();
            }
            buffer = new PinnedMemory(context, Long.highestOneBit(bytes * 2 - 1));
        }
        return buffer;
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
        try {
            tickets.close();
        } finally {
            if (buffer != null) {
                buffer.close();
            }
        }
    }
}
