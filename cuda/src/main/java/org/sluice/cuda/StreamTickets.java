package org.sluice.cuda;

/**
 * Numbers the work that is put into a stream and says how far the stream is. An event ends every stretch of work that is waited
 * for; events are made as they are needed, then used again, so that the steady state neither creates nor allocates.
 */
final class StreamTickets implements AutoCloseable {
    /**
     * How long "not ready" is believed. A query costs the agent thread about 0.5 us, every channel asks in every turn, and no copy
     * worth waiting for takes less than 10 us.
     */
    private static final long NOT_READY_HOLDS_NANOS = 1_500;

    final CudaStream stream;
    private final CudaContext context;
    private final int capacity;
    private final long[] event;
    private final long[] ticket;
    private final int mask;
    private final long[] spare;
    private int spares;
    private long oldestEvent;
    private long nextEvent;
    private long issued;
    private long marked;
    private long done;
    private long askedAt;
    private boolean waiting;

    /** @param capacity the most tickets in flight, at least 1 */
    StreamTickets(CudaContext context, int capacity) {
        this.context = context;
        this.capacity = capacity;
        int ring = Integer.highestOneBit(Math.max(1, capacity * 2 - 1));
        this.event = new long[ring];
        this.ticket = new long[ring];
        this.mask = ring - 1;
        this.spare = new long[ring];
        this.stream = new CudaStream(context);
    }

    long issued() {
        return issued;
    }

    long marked() {
        return marked;
    }

    /** As {@link #completed()} last found it, without asking. */
    long done() {
        return done;
    }

    /** The next ticket. @throws IllegalStateException when as many as the capacity are in flight */
    long issue() {
        if (!hasRoom()) {
            throw new IllegalStateException(context.where() + ": " + capacity + " are in flight, which is the most");
        }
        return ++issued;
    }

    boolean hasRoom() {
        if (issued - done == capacity) {
            poll();
        }
        return issued - done < capacity;
    }

    /** Everything issued is in the stream: an event behind it. */
    void mark() {
        if (marked == issued) {
            return;
        }
        long e = spares > 0 ? spare[--spares] : context.driver().eventCreate(context.where());
        int slot = (int) nextEvent & mask;
        event[slot] = e;
        ticket[slot] = issued;
        nextEvent++;
        marked = issued;
        context.check(context.driver().eventRecord(e, stream.handle), "cuEventRecord");
        waiting = false;
    }

    /** The highest ticket behind which an event has passed. Asks the driver no more often than is useful. */
    long completed() {
        if (oldestEvent != nextEvent) {
            if (waiting && System.nanoTime() - askedAt < NOT_READY_HOLDS_NANOS) {
                return done;
            }
            poll();
        }
        return done;
    }

    private void poll() {
        while (oldestEvent != nextEvent) {
            int slot = (int) oldestEvent & mask;
            int result = context.driver().eventQuery(event[slot]);
            if (result == CudaDriver.NOT_READY) {
                waiting = true;
                askedAt = System.nanoTime();
                return;
            }
            spare[spares++] = event[slot];
            done = ticket[slot];
            oldestEvent++;
            // an error is the stream's: what was asynchronous fails here
            context.check(result, "work on the stream (cuEventQuery)");
        }
        waiting = false;
    }

    /** Waits for the stream, then frees it and the events. Everything may fail in a broken context, and nothing is left then. */
    @Override
    public void close() {
        try {
            stream.await("work on the stream");
        } finally {
            for (; oldestEvent != nextEvent; oldestEvent++) {
                spare[spares++] = event[(int) oldestEvent & mask];
            }
            while (spares > 0) {
                context.driver().eventDestroy(spare[--spares], context.where());
            }
            stream.close();
        }
    }
}
