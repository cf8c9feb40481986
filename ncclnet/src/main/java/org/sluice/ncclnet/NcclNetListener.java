package org.sluice.ncclnet;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Listener;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.TransportException;

/** A listen comm, for one accept: plugins allow no second. */
final class NcclNetListener implements Listener {
    private static final Logger log = LoggerFactory.getLogger(NcclNetListener.class);

    private final CommPlace place;
    private final ChannelContext context;
    private final CommMemory memory;
    private final long listenComm;
    private @Nullable ServiceCall call;
    private boolean begun;
    private boolean ended;
    private boolean closed;

    private NcclNetListener(CommPlace place, ChannelContext context, CommMemory memory, long listenComm) {
        this.place = place;
        this.context = context;
        this.memory = memory;
        this.listenComm = listenComm;
        place.opened(this);
    }

    static NcclNetListener open(CommPlace place, ChannelContext context) throws TransportException {
        NcclNetListener pending = place.pending().takeListener(context, place);
        if (pending != null) {
            pending.closed = false;
            place.opened(pending);
            return pending;
        }
        CommMemory memory = CommMemory.take();
        place.service()
                .call(place, PluginCall.LISTEN, place.agentNanos(), () -> place.api.listen(place.pluginDevice, memory));
        return new NcclNetListener(place, context, memory, memory.outValue());
    }

    @SuppressWarnings("ReferenceEquality") // the very channel, not one like it
    boolean isFor(ChannelContext who, CommPlace where) {
        return context == who && place.pluginDevice == where.pluginDevice;
    }

    String name() {
        return place.name();
    }

    @Override
    public byte[] handle() {
        return memory.handleBytes();
    }

    @Override
    public @Nullable ReceiveChannel accept() throws TransportException {
        ServiceCall c = call;
        if (c == null) {
            begun = true;
            c = place.service().start(place, PluginCall.ACCEPT, this::acceptNow);
            call = c;
            c.await(PluginService.BRIEF_NANOS);
        }
        if (!c.isDone()) {
            place.service().relieve();
            return null;
        }
        call = null;
        try {
            c.check();
        } catch (TransportException e) {
            ended = true;
            throw e;
        }
        long comm = memory.outValue();
        if (comm == 0) {
            return null;
        }
        ended = true;
        return place.nic.scatters()
                ? UnpackingReceiveChannel.open(place, memory, comm)
                : new NcclNetReceiveChannel(place, memory, comm);
    }

    private int acceptNow() {
        return place.api.accept(listenComm, memory, place.nic.scatters());
    }

    /** Whether the plugin is at work in the listen comm: a call has not come back, or TCPX's thread waits there for the peer. */
    private boolean isBusy() {
        return call != null || (begun && !ended && place.nic.scatters());
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        place.closed(this);
        if (isBusy()) {
            place.pending().keep(this);
        } else {
            closeNow();
        }
    }

    /** The transport closes: what is still pending is left to the plugin, and what comes of it is closed. */
    void leave() {
        log.warn("{}: {}: a listener whose accept is under way is left alone", place.description(), place.name());
        ServiceCall c = call;
        if (c != null) {
            c.orphan(() -> {
                if (c.succeeded() && memory.outValue() != 0) {
                    place.api.closeReceive(memory.outValue());
                    place.api.closeListen(listenComm);
                }
            });
        }
    }

    private void closeNow() {
        try {
            place.service().call(place, PluginCall.CLOSE, place.agentNanos(), () -> place.api.closeListen(listenComm));
            if (!begun) {
                memory.giveBack();
            }
        } catch (TransportException e) {
            log.warn("{}", e.getMessage());
        }
    }
}
