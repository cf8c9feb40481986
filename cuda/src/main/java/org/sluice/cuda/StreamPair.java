package org.sluice.cuda;

import org.sluice.spi.GpuException;

/**
 * Two streams that take turns with one launch each, so that the GPU has the next when one ends. Launches end in their order. Belongs
 * to one thread.
 */
final class StreamPair implements AutoCloseable {
    private static final int STREAMS = 2;

    /** As long as a "not ready" is believed: see {@link StreamTickets}. */
    private static final long NOT_READY_HOLDS_NANOS = 1_500;

    /** One of the streams and what it was last given. */
    private static final class Lane {
        final CudaStream stream;
        final long event;
        long ticket;
        long mark;

        Lane(CudaContext context) {
            stream = new CudaStream(context);
            event = context.driver().eventCreate(context.where());
        }
    }

    private final CudaContext context;
    private final Lane[] lanes = new Lane[STREAMS];
    private long launches;
    private long ended;
    private long ticket;
    private long mark;
    private long askedAt;
    private boolean waiting;
    /** Something failed, and what of the list is where is not known: nothing is called done any more. */
    private boolean broken;

    StreamPair(CudaContext context) {
        this.context = context;
        for (int i = 0; i < STREAMS; i++) {
            lanes[i] = new Lane(context);
        }
    }

    /** Whether a launch may begin: on {@link #stream}, and then {@link #launched}. */
    boolean isFree() {
        return launches - ended < STREAMS;
    }

    long stream() {
        return lanes[(int) (launches % STREAMS)].stream.handle;
    }

    /** What was put into {@link #stream} is a launch. @param mark what {@link #mark} says once it has ended */
    void launched(long ticket, long mark) {
        Lane lane = lanes[(int) (launches % STREAMS)];
        check(context.driver().eventRecord(lane.event, lane.stream.handle), "cuEventRecord");
        lane.ticket = ticket;
        lane.mark = mark;
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
            Lane oldest = lanes[(int) (ended % STREAMS)];
            int result = context.driver().eventQuery(oldest.event);
            if (result == CudaDriver.NOT_READY) {
                waiting = true;
                askedAt = System.nanoTime();
                return;
            }
            ended++;
            // an error is the stream's: what was asynchronous fails here
            check(result, "a list's copies (cuEventQuery)");
            ticket = oldest.ticket;
            mark = oldest.mark;
            waiting = false;
        }
    }

    /** Waits until a launch may begin, as long as the GPU may take. */
    void awaitFree() {
        long began = System.nanoTime();
        while (!isFree()) {
            progress();
            if (System.nanoTime() - began > CudaStream.DEADLINE_NANOS) {
                throw new GpuException(
                        context.where() + ": a list's copies do not end; the GPU hangs, see nvidia-smi", 0);
            }
        }
    }

    boolean isBroken() {
        return broken;
    }

    void checkWorks() {
        if (broken) {
            throw new GpuException(
                    context.where() + ": an earlier copy of this list's queue failed; make a new queue", 0);
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
        for (Lane lane : lanes) {
            lane.stream.await("a list's copies");
        }
    }

    /** After {@link #await}. */
    @Override
    public void close() {
        for (Lane lane : lanes) {
            context.driver().eventDestroy(lane.event, context.where());
            lane.stream.close();
        }
    }
}
