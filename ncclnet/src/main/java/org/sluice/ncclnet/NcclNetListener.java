package org.sluice.ncclnet;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.Listener;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.TransportException;

/** A listen comm, for one accept: plugins allow no second. */
final class NcclNetListener implements Listener {
    private static final Logger log = LoggerFactory.getLogger(NcclNetListener.class);

    private final CommPlace place;
    private final CommMemory memory;
    private final long listenComm;
    private boolean accepting;
    private boolean accepted;
    private boolean closed;

    private NcclNetListener(CommPlace place, CommMemory memory, long listenComm) {
        this.place = place;
        this.memory = memory;
        this.listenComm = listenComm;
        place.opened(this);
    }

    static NcclNetListener open(CommPlace place) throws TransportException {
        CommMemory memory = CommMemory.take();
        place.enter(PluginCall.LISTEN);
        int result = place.api.listen(place.pluginDevice, memory);
        place.leave();
        place.check(PluginCall.LISTEN, result);
        return new NcclNetListener(place, memory, memory.outValue());
    }

    @Override
    public byte[] handle() {
        return memory.handleBytes();
    }

    @Override
    public @Nullable ReceiveChannel accept() throws TransportException {
        accepting = true;
        place.enter(PluginCall.ACCEPT);
        int result = place.api.accept(listenComm, memory, place.nic.scatters());
        place.leave();
        place.check(PluginCall.ACCEPT, result);
        long comm = memory.outValue();
        if (comm == 0) {
            return null;
        }
        accepted = true;
        return place.nic.scatters()
                ? UnpackingReceiveChannel.open(place, memory, comm)
                : new NcclNetReceiveChannel(place, memory, comm);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        place.closed(this);
        if (accepting && !accepted && place.nic.scatters()) {
            // TCPX has a thread at work in the listen comm then, and frees what it uses: better to lose a socket
            log.warn("{}: a listener whose accept was under way is left alone", place.description());
            return;
        }
        place.enter(PluginCall.CLOSE);
        int result = place.api.closeListen(listenComm);
        place.leave();
        if (result != NcclResult.SUCCESS) {
            log.warn("{}", place.failure(PluginCall.CLOSE, "failed", result).getMessage());
        }
        if (!accepting) {
            memory.giveBack();
        }
    }
}
