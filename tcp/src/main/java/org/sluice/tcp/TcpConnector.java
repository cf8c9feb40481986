package org.sluice.tcp;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.Connector;
import org.sluice.spi.SendChannel;
import org.sluice.spi.TransportException;

/** A sending channel on its way: opened on each of its connections, which are there already or are being made. */
final class TcpConnector implements Connector {
    private final SendLane[] lanes;
    private final Set<AutoCloseable> open;
    private boolean handedOut;

    /** @param open everything of the transport that is open */
    TcpConnector(Endpoint endpoint, Handle handle, SendConnections connections, Set<AutoCloseable> open)
            throws TransportException {
        if (endpoint.options().encryption() && !handle.encrypted()) {
            throw new TransportException("this side encrypts its channels and the peer does not; set the tcp option"
                    + " encryption=aes-gcm on both");
        }
        this.open = open;
        ChannelContext context = endpoint.context();
        byte[] token = handle.token();
        List<@Nullable Seal> seals = new ArrayList<>();
        for (int i = 0; i < handle.sockets(); i++) {
            seals.add(handle.encrypted() ? new Seal(context.keys(), token, i) : null);
        }
        List<OutboundConnection> lent = lend(endpoint, handle, connections);
        this.lanes = new SendLane[lent.size()];
        for (int i = 0; i < lanes.length; i++) {
            OutboundConnection c = lent.get(i);
            SendLane lane =
                    new SendLane(c, context.doorbell(), endpoint.options().checksum(), seals.get(i));
            lanes[i] = lane;
            int which = i;
            if (!c.thread().submit(() -> c.attach(lane, token, which))) {
                lane.fail(new TransportException(c.description() + ": the transport is closed"));
            }
        }
        open.add(this);
    }

    private static List<OutboundConnection> lend(Endpoint endpoint, Handle handle, SendConnections connections)
            throws TransportException {
        InetSocketAddress peer = handle.from(endpoint.address());
        if (endpoint.context().granted()) {
            return connections.take(endpoint, peer, handle.token(), handle.sockets());
        }
        List<OutboundConnection> own = new ArrayList<>();
        for (int i = 0; i < handle.sockets(); i++) {
            own.add(connections.alone(endpoint, peer, handle.token()));
        }
        return own;
    }

    @Override
    public @Nullable SendChannel connect() throws TransportException {
        for (SendLane lane : lanes) {
            if (!lane.isOpened()) {
                return null;
            }
        }
        handedOut = true;
        SendChannel channel = new TcpSendChannel(lanes, lanes[0].connection().description(), open);
        open.add(channel);
        return channel;
    }

    @Override
    public void close() {
        open.remove(this);
        if (!handedOut) {
            for (SendLane lane : lanes) {
                lane.close();
            }
        }
    }
}
