package org.sluice.ncclnet;

import org.sluice.spi.TransportException;

/** One {@code regMr}: asked for, and known once the plugin has answered. Belongs to the agent. */
final class MemoryHandle {
    /** Most registrations have come back by then, and need not be asked for again. */
    private static final long SHORT_NANOS = 20_000_000;

    private final CommPlace place;
    private final CommMemory memory = CommMemory.take();
    private final ServiceCall call;
    private final CallClock clock;
    private boolean known;

    private MemoryHandle(CommPlace place, long comm, long address, long bytes, int type) {
        this.place = place;
        this.clock = new CallClock(place.callNanos(), System.nanoTime());
        this.call = place.service()
                .start(place, PluginCall.REGISTER, () -> place.api.register(comm, memory, address, bytes, type));
    }

    static MemoryHandle make(CommPlace place, long comm, long address, long bytes, int type) throws TransportException {
        MemoryHandle made = new MemoryHandle(place, comm, address, bytes, type);
        made.call.await(SHORT_NANOS);
        made.isReady();
        return made;
    }

    /** Whether the plugin has answered. @throws TransportException where it refused, or does not come back in time */
    boolean isReady() throws TransportException {
        if (known) {
            return true;
        }
        if (call.isDone()) {
            call.check();
            known = true;
            return true;
        }
        place.service().relieve();
        if (clock.isOver(System.nanoTime())) {
            throw place.overdue(PluginCall.REGISTER, place.callNanos());
        }
        return false;
    }

    /** What the plugin knows the memory by. */
    long value() {
        return memory.outValue();
    }

    /** Waits for the answer and undoes it. For threads that may wait for ever. @return the plugin's result */
    int deregister(long comm) {
        while (!call.await(SHORT_NANOS)) {
            place.service().relieve();
        }
        return call.succeeded() ? deregisterKnown(comm) : NcclResult.SUCCESS;
    }

    int deregisterKnown(long comm) {
        int result = place.api.deregister(comm, value());
        memory.giveBack();
        return result;
    }
}
