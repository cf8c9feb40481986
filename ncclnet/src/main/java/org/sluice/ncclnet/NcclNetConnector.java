package org.sluice.ncclnet;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.Connector;
import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;

/**
 * A connect under way. Each try passes the same handle memory: plugins keep their state in it. An attempt that is given up
 * leaves the plugin its memory, since nothing in the contract ends it.
 */
final class NcclNetConnector implements Connector {
    private final CommPlace place;
    private final CommMemory memory = CommMemory.take();

    NcclNetConnector(CommPlace place, byte[] handle) {
        this.place = place;
        memory.handleBytes(handle);
    }

    @Override
    public @Nullable SendChannel connect() throws TransportException {
        place.enter(PluginCall.CONNECT);
        int result = place.api.connect(place.pluginDevice, memory);
        place.leave();
        place.check(PluginCall.CONNECT, result);
        long comm = memory.outValue();
        return comm == 0 ? null : new NcclNetSendChannel(place, memory, comm);
    }

    @Override
    public void close() {}
}
