package org.sluice.ncclnet;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Connector;
import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;

/**
 * A connect under way. Each try passes the same handle memory: plugins keep their state in it. Nothing in the contract ends an attempt:
 * one that is given up is kept, and gone on with when the same handle is offered again.
 */
final class NcclNetConnector implements Connector {
    private final CommPlace place;
    private final ChannelContext context;
    private final byte[] handle;
    private final CommMemory memory = CommMemory.take();
    private @Nullable ServiceCall call;
    private boolean begun;
    private boolean ended;

    private NcclNetConnector(CommPlace place, ChannelContext context, byte[] handle) {
        this.place = place;
        this.context = context;
        this.handle = handle.clone();
        memory.handleBytes(handle);
    }

    static NcclNetConnector open(CommPlace place, ChannelContext context, byte[] handle) {
        NcclNetConnector pending = place.pending().takeConnector(context, place, handle);
        return pending != null ? pending : new NcclNetConnector(place, context, handle);
    }

    @SuppressWarnings("ReferenceEquality") // the very channel, not one like it
    boolean isFor(ChannelContext who, CommPlace where) {
        return context == who && place.pluginDevice == where.pluginDevice;
    }

    boolean isTo(byte[] offered) {
        return Arrays.equals(handle, offered);
    }

    @Override
    public @Nullable SendChannel connect() throws TransportException {
        ServiceCall c = call;
        if (c == null) {
            begun = true;
            c = place.service().start(place, PluginCall.CONNECT, this::connectNow);
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
        return new NcclNetSendChannel(place, memory, comm);
    }

    private int connectNow() {
        return place.api.connect(place.pluginDevice, memory);
    }

    @Override
    public void close() {
        if (begun && !ended) {
            place.pending().keep(this);
        }
    }

    /** Nobody goes on with it any more: a comm that comes of a call under way is closed. */
    void leave() {
        ServiceCall c = call;
        if (c != null) {
            c.orphan(() -> {
                if (c.succeeded() && memory.outValue() != 0) {
                    place.api.closeSend(memory.outValue());
                }
            });
        }
    }
}
