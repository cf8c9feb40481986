package org.sluice.ncclnet;

import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;

/** A receive comm whose bytes wait in a bounce buffer until the engine has unpacked them and gives the pages back. */
final class UnpackingReceiveChannel extends NcclNetReceiveChannel {
    private final UnpackRequest request;

    private UnpackingReceiveChannel(CommPlace place, CommMemory memory, long comm, UnpackHandle handle) {
        super(place, memory, comm);
        this.request = new UnpackRequest(handle);
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
    void finished(long finished, long sequence) throws TransportException {
        request.read(finished, sequence);
    }

    @Override
    public ScatterList scattered() {
        return request.list();
    }
}
