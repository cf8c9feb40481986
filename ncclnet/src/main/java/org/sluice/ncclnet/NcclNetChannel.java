package org.sluice.ncclnet;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.Channel;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.Registration;
import org.sluice.spi.TransportException;

/**
 * A comm and its requests, oldest first: only the oldest is tested, and no more are posted than the plugin has room for. Belongs
 * to the agent thread that made it.
 */
abstract sealed class NcclNetChannel implements Channel permits NcclNetSendChannel, NcclNetReceiveChannel {
    private static final Logger log = LoggerFactory.getLogger(NcclNetChannel.class);

    final CommPlace place;
    final CommMemory memory;
    final long comm;
    private final int most;
    private final long[] requests;
    private final int mask;
    private final Set<NcclNetRegistration> registrations = new HashSet<>();
    private long posted;
    private long done;
    private long freed;
    private long looks;
    private CommCloser.@Nullable Closing closing;

    NcclNetChannel(CommPlace place, CommMemory memory, long comm) {
        this.place = place;
        this.memory = memory;
        this.comm = comm;
        this.most = place.nic.maxRequests();
        this.requests = new long[Integer.highestOneBit(most * 2 - 1)];
        this.mask = requests.length - 1;
        place.opened(this);
    }

    @Override
    public final Registration register(GpuMemory block) throws TransportException {
        NcclNetRegistration made = NcclNetRegistration.make(this, block);
        registrations.add(made);
        return made;
    }

    final void forget(NcclNetRegistration registration) {
        registrations.remove(registration);
    }

    /** Whether the plugin has a request to spare. */
    final boolean hasRoom() {
        return posted - freed + others() < most;
    }

    /** Requests that are not among those posted. */
    int others() {
        return 0;
    }

    /** Takes note of what a post call answered. @return false when the plugin said "not now" */
    final boolean post(PluginCall call, int result) throws TransportException {
        if (result != NcclResult.SUCCESS) {
            throw place.failure(call, "failed", result);
        }
        long request = memory.requestValue();
        if (request == 0) {
            return false;
        }
        requests[(int) posted++ & mask] = request;
        return true;
    }

    final void checkLength(long bytes) throws TransportException {
        if (bytes > place.nic.maxMessageBytes()) {
            throw new TransportException(place.description() + " takes messages of up to " + place.nic.maxMessageBytes()
                    + " bytes, this one has " + bytes + "; use smaller chunks");
        }
    }

    @Override
    public final int test() throws TransportException {
        if (done == posted) {
            return PENDING;
        }
        place.enter(PluginCall.TEST);
        int result = place.api.test(requests[(int) done & mask], memory);
        place.leave();
        if (result != NcclResult.SUCCESS) {
            throw place.failure(PluginCall.TEST, "failed", result);
        }
        if (!memory.isDone()) {
            looks++;
            return PENDING;
        }
        looks = 0;
        finished(requests[(int) done++ & mask], done - 1);
        return DONE;
    }

    /** The oldest request is done. @param sequence its number on this comm, from 0 */
    abstract void finished(long request, long sequence) throws TransportException;

    /** The request that is freed next. */
    final long oldestFinished() throws TransportException {
        if (freed == done) {
            throw new TransportException(place.description() + ": nothing is done that could be given back");
        }
        return requests[(int) freed & mask];
    }

    final void freeOldest() {
        freed++;
    }

    /** What the oldest request is at, for messages about a channel that does not move. */
    private String state() {
        String kept = done == freed ? "" : ", " + (done - freed) + " done and not given back";
        if (posted == done) {
            return "no request in flight" + kept;
        }
        return "request " + done + " not done after " + looks + " tests, " + (posted - done) + " in flight" + kept;
    }

    @Override
    public final String description() {
        return posted == 0 ? place.description() : place.description() + ", " + state();
    }

    /** {@code closeSend} or {@code closeRecv}. */
    abstract int closeComm();

    /**
     * Registrations go before their comm, as NCCL has it, except those of an unpacking plugin (TCPX) with requests in flight: its helper
     * threads still send from the descriptor that {@code deregMr} closes, and its {@code deregMr} does not look at the comm.
     */
    @Override
    public final void close() {
        if (closing != null) {
            return;
        }
        place.closed(this);
        List<MemoryHandle> handles = new ArrayList<>();
        registrations.forEach(r -> handles.addAll(r.surrender()));
        registrations.clear();
        boolean inFlight = posted != done;
        boolean commFirst = inFlight && place.nic.scatters();
        closing = place.closer().close(place, inFlight, () -> {
            if (commFirst) {
                closeNow();
                deregister(handles);
            } else {
                deregister(handles);
                closeNow();
            }
        });
    }

    private void closeNow() {
        int result = closeComm();
        if (result == NcclResult.SUCCESS) {
            memory.giveBack();
        } else {
            log.warn("{}", place.failure(PluginCall.CLOSE, "failed", result).getMessage());
        }
    }

    private void deregister(List<MemoryHandle> handles) {
        for (MemoryHandle h : handles) {
            int result = h.deregister(comm);
            if (result != NcclResult.SUCCESS) {
                log.warn(
                        "{}",
                        place.failure(PluginCall.DEREGISTER, "failed", result).getMessage());
            }
        }
    }

    @Override
    public final boolean isClosed() throws TransportException {
        CommCloser.Closing c = closing;
        return c == null || c.isUntouched();
    }
}
