package org.sluice.ncclnet;

import org.sluice.spi.Registration;
import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;

/** A send comm. */
final class NcclNetSendChannel extends NcclNetChannel implements SendChannel {
    NcclNetSendChannel(CommPlace place, CommMemory memory, long comm) {
        super(place, memory, comm);
    }

    @Override
    public boolean send(Registration registration, long address, long bytes, long message, long offset)
            throws TransportException {
        NcclNetRegistration known = (NcclNetRegistration) registration;
        if (!hasRoom() || !known.isReady()) {
            return false;
        }
        checkLength(bytes);
        long handle = known.handle(address, bytes);
        place.enter(PluginCall.SEND);
        int result = place.api.send(comm, memory, address, bytes, handle);
        place.leave();
        return post(PluginCall.SEND, result);
    }

    @Override
    void finished(long request, long sequence) {
        freeOldest();
    }

    @Override
    int closeComm() {
        return place.api.closeSend(comm);
    }
}
