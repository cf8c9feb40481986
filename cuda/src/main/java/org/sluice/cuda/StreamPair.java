package org.sluice.cuda;

import org.sluice.spi.GpuException;

/**
 * Two streams that take turns, so that the GPU has the next launch or copy when one ends, and one's beginning hides the other's end.
 * Launches are reported in their order. Belongs to one thread.
 */
final class StreamPair implements AutoCloseable {
    private static final int STREAMS = 2;

    /** As long as a "not ready" is believed: see {@link StreamTickets}. */
    private static final long NOT_READY_HOLDS_NANOS = 1_500;

    private final CudaContext context;
    private final CudaStream[] streams = new CudaStream[STREAMS];
    private final int most;
    // of each launch under way
    private final long[] events;
    private final long[] tickets;
    private final long[] marks;
    private long launches;
    private long ended;
    private long ticket;
    private long mark;
    private long askedAt;
    private boolean waiting;
    /** Something failed, and what is where is not known: nothing is called done any more. */
    private boolean broken;

    /** @param most launches under way at a time, at least 1 */
    StreamPair(CudaContext context, int most) {
        this.context = context;
        this.most = most;
        this.events = new long[most];
        this.tickets = new long[most];
        this.marks = new long[most];
        for (int i = 0; i < STREAMS; i++) {
            streams[i] = new CudaStream(context);
        }
        for (int i = 0; i < most; i++) {
            events[i] = context.driver().eventCreate(context.where());
        }
    }

    /** Whether a launch may begin: on {@link #stream}, and then {@link #launched}. */
    boolean isFree() {
        return launches - ended < most;
    }

    long stream() {
        return streams[(int) (launches % STREAMS)].handle;
    }

    /** What was put into {@link #stream} is a launch. @param mark what {@link #mark} says once it has ended */
    void launched(long ticket, long mark) {
        int slot = (int) (launches % most);
        check(context.driver().eventRecord(events[slot], stream()), "cuEventRecord");
        tickets[slot] = ticket;
        marks[slot] = mark;
        launches++;
        waiting = false;
    }

    /** The ticket of the last launch that has ended. */
    long ticket() {
        return ticket;
    }

    long mark() {
        return mark;
    }

    /** As {@link #progress}, but asks the driver no more often than is useful. */
    void poll() {
        if (ended != launches && !(waiting && System.nanoTime() - askedAt < NOT_READY_HOLDS_NANOS)) {
            progress();
        }
    }

    /** Looks which launches have ended. */
    void progress() {
        while (ended != launches) {
            int oldest = (int) (ended % most);
            int result = context.driver().eventQuery(events[oldest]);
            if (result == CudaDriver.NOT_READY) {
                waiting = true;
                askedAt = System.nanoTime();
                return;
            }
            ended++;
            // an error is the stream's: what was asynchronous fails here
            check(result, "copies (cuEventQuery)");
            ticket = tickets[oldest];
            mark = marks[oldest];
            waiting = false;
        }
    }

    /** Waits until a launch may begin, as long as the GPU may take. */
    void awaitFree() {
        long began = System.nanoTime();
        while (!isFree()) {
            progress();
            if (System.nanoTime() - began > CudaStream.DEADLINE_NANOS) {
                throw new GpuException(context.where() + ": copies do not end; the GPU hangs, see nvidia-smi", 0);
            }
        }
    }

    boolean isBroken() {
        return broken;
    }

    void checkWorks() {
        if (broken) {
            throw new GpuException(context.where() + ": an earlier copy of this queue failed; make a new queue", 0);
        }
    }

    /** Marks the pair as broken before the failure is thrown. */
    void check(int result, String call) {
        if (result != CudaDriver.SUCCESS) {
            broken = true;
            throw context.failure(call, result);
        }
    }

    /** Waits for what was launched. */
    void await() {
        for (CudaStream stream : streams) {
            stream.await("copies of a list or a peer's memory");
        }
    }

    /** After {@link #await}. */
    @Override
    public void close() {
        for (long event : events) {
            context.driver().eventDestroy(event, context.where());
        }
        for (CudaStream stream : streams) {
            stream.close();
        }
    }
}
