package org.sluice.ncclnet;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.Registration;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;

/** A receive comm whose bytes the plugin puts where they belong. */
sealed class NcclNetReceiveChannel extends NcclNetChannel implements ReceiveChannel permits UnpackingReceiveChannel {
    /** The request of the flush under way, 0 where there is none. */
    private long flush;

    NcclNetReceiveChannel(CommPlace place, CommMemory memory, long comm) {
        super(place, memory, comm);
    }

    @Override
    public final boolean receive(Registration registration, long address, long bytes, long message, long offset)
            throws TransportException {
        NcclNetRegistration known = (NcclNetRegistration) registration;
        if (!hasRoom() || !known.isReady()) {
            return false;
        }
        checkLength(bytes);
        long handle = known.handle(address, bytes);
        place.enter(PluginCall.RECEIVE);
        int result = place.api.receive(comm, memory, address, bytes, handle);
        place.leave();
        if (!post(PluginCall.RECEIVE, result)) {
            return false;
        }
        posted(known);
        return true;
    }

    /** A receive was posted into this memory. */
    void posted(NcclNetRegistration registration) {}

    @Override
    void finished(long request, long sequence) throws TransportException {}

    @Override
    public @Nullable ScatterList scattered() throws TransportException {
        throw new TransportException(place.description() + " does not scatter");
    }

    /** The plugin's own way where it has one, else the GPU's, which is through at once. */
    @Override
    public final boolean fence(Registration registration, long address, long bytes) throws TransportException {
        if (!place.api.hasFlush()) {
            place.gpu.flushRemoteWrites();
            return true;
        }
        // there is room for it: it begins for a receive that is done, whose request the plugin has back
        long handle = ((NcclNetRegistration) registration).handle(address, bytes);
        place.enter(PluginCall.FLUSH);
        int result = place.api.flush(comm, memory, address, bytes, handle);
        place.leave();
        place.check(PluginCall.FLUSH, result);
        flush = memory.requestValue();
        return true;
    }

    @Override
    public final boolean fenced() throws TransportException {
        if (flush == 0) {
            return true;
        }
        place.enter(PluginCall.FLUSH);
        int result = place.api.test(flush, memory);
        place.leave();
        place.check(PluginCall.FLUSH, result);
        if (!memory.isDone()) {
            return false;
        }
        flush = 0;
        return true;
    }

    @Override
    final int others() {
        return flush == 0 ? 0 : 1;
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
