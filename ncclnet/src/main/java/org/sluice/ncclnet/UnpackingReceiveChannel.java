package org.sluice.ncclnet;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;

/**
 * A receive comm of a plugin that leaves what it receives for a GPU in a bounce buffer, until the engine has unpacked it and gives the
 * pages back. What such a plugin receives for host memory it puts there directly: the memory that was registered tells, not the device.
 */
final class UnpackingReceiveChannel extends NcclNetReceiveChannel {
    private final UnpackRequest request;

    /** Of each receive in flight, by its number: whether it goes to host memory. */
    private final boolean[] toHost;

    private long received;
    private @Nullable ScatterList list;

    private UnpackingReceiveChannel(CommPlace place, CommMemory memory, long comm, UnpackHandle handle) {
        super(place, memory, comm);
        this.request = new UnpackRequest(handle);
        this.toHost = new boolean[Integer.highestOneBit(place.nic.maxRequests() * 2 - 1)];
    }

    static UnpackingReceiveChannel open(CommPlace place, CommMemory memory, long comm) throws TransportException {
        try {
            return new UnpackingReceiveChannel(place, memory, comm, UnpackHandle.read(place, memory));
        } catch (TransportException e) {
            place.api.closeReceive(comm);
            throw e;
        }
    }

    @Override
    void posted(NcclNetRegistration registration) {
        toHost[(int) received++ & (toHost.length - 1)] = registration.isHost();
    }

    @Override
    void finished(long finished, long sequence) throws TransportException {
        list = request.read(finished, sequence, toHost[(int) sequence & (toHost.length - 1)]) ? request.list() : null;
    }

    @Override
    public @Nullable ScatterList scattered() {
        return list;
    }
}
