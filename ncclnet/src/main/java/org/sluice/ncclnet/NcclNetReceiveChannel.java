package org.sluice.ncclnet;

import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;

/** A receive comm whose bytes the plugin puts where they belong. */
sealed class NcclNetReceiveChannel extends NcclNetChannel implements ReceiveChannel permits UnpackingReceiveChannel {
    NcclNetReceiveChannel(CommPlace place, CommMemory memory, long comm) {
        super(place, memory, comm);
    }

    @Override
    public final boolean receive(Registration registration, long address, long bytes, long message, long offset)
            throws TransportException {
        if (!hasRoom()) {
            return false;
        }
        checkLength(bytes);
        long handle = ((NcclNetRegistration) registration).handle(address);
        place.enter(PluginCall.RECEIVE);
        int result = place.api.receive(comm, memory, address, bytes, handle);
        place.leave();
        return post(PluginCall.RECEIVE, result);
    }

    @Override
    void finished(long request, long sequence) throws TransportException {}

    @Override
    public ScatterList scattered() throws TransportException {
        throw new TransportException(place.description() + " does not scatter");
    }

    @Override
    public final void consumed() throws TransportException {
        long request = oldestFinished();
        place.enter(PluginCall.CONSUMED);
        int result = place.api.consumed(comm, request);
        place.leave();
        place.check(PluginCall.CONSUMED, result);
        freeOldest();
    }

    @Override
    final int closeComm() {
        return place.api.closeReceive(comm);
    }
}
