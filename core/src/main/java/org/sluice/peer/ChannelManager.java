package org.sluice.peer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.Where;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.ChannelKeys;
import org.sluice.spi.Connector;
import org.sluice.spi.Doorbell;
import org.sluice.spi.Nic;
import org.sluice.spi.PeerId;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.SendChannel;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;
import org.sluice.stats.ChannelCounters;
import org.sluice.stats.ChannelTiming;
import org.sluice.stats.ChunkEvent;
import org.sluice.transfer.Agent;
import org.sluice.transfer.InboundEnd;
import org.sluice.transfer.OutboundEnd;
import org.sluice.transfer.StagingShare;
import org.sluice.transfer.Work;
import org.sluice.transfer.WorkBell;
import org.sluice.wire.Deadline;
import org.sluice.wire.LinkKey;
import org.sluice.wire.NodeIdentity;

/**
 * Makes the channels of one GPU's link: listens, accepts and connects, all channels side by side, since a plugin's accept can
 * take seconds. Every method runs on the GPU's agent thread; the futures complete there.
 */
final class ChannelManager {
    /**
     * How long accepting waits for this side's connects. A plugin whose accept waits for its peer (FastSocket) would otherwise hold
     * up the connect that the peer's accept waits for. Where a connect in turn needs the peer to accept, this is all that is lost.
     */
    private static final long CONNECT_FIRST_NANOS = 20_000_000;

    private final Agent agent;
    private final WorkBell bell;
    private final Transport transport;
    private final boolean instrumented;

    /** Nodes have no identity yet: what is unique to the link lets its own channels share connections, and no others. */
    private volatile PeerId peer = PeerId.unique();

    private long chunkBytes;
    private volatile ChannelKeys keys = ChannelKeys.NONE;
    private volatile boolean sendsAreGranted;
    private final ChannelListeners listeners;
    private final LinkSlots slots;
    private boolean linked;
    private @Nullable Setup running;

    /** Channels that are made, until a link has them. */
    private @Nullable Channels untaken;

    ChannelManager(Agent agent, Transport transport, long chunkBytes, int stagingSlots, boolean instrumented) {
        this.agent = agent;
        this.bell = agent.bell();
        this.transport = transport;
        this.chunkBytes = chunkBytes;
        this.listeners = new ChannelListeners(transport, this::receiving, this::where);
        this.slots = new LinkSlots(agent, bell, transport, stagingSlots);
        this.instrumented = instrumented;
    }

    /**
     * The client's word on the chunk size. Before {@link #open}.
     *
     * @return the longest chunk that this side can do: less where it goes through pinned slots that are smaller
     */
    long chunkBytes(long bytes) {
        chunkBytes = slots.fit(peer, bytes);
        return chunkBytes;
    }

    /** The link's key. Any thread, before {@link #open}. */
    void key(@Nullable LinkKey linkKey) {
        keys = linkKey == null ? ChannelKeys.NONE : linkKey::derive;
    }

    /** Who is at the other end. Any thread, before {@link #open}. */
    void peer(NodeIdentity node) {
        peer = new PeerId(node.idHigh(), node.idLow());
    }

    /** The place of each channel's address among those of its NIC. */
    void addresses(int[] ofChannel) {
        listeners.addresses(ofChannel);
    }

    /** Whether what is sent waits for grants: the agent wakes when they come, and need not for each few chunks that have left. */
    void sendsAreGranted(boolean granted) {
        sendsAreGranted = granted;
    }

    /** Rung when something comes for one of its channels: first it is this manager's, then the link's. */
    WorkBell bell() {
        return bell;
    }

    ChannelContext receiving(int channel) {
        return context(channel, bell);
    }

    ChannelContext sending(int channel) {
        // a staging slot must be refilled as soon as it is free; memory that is sent from where it is needs nothing
        return context(channel, sendsAreGranted && agent.gpu().hostAccessible() ? () -> {} : bell);
    }

    private ChannelContext context(int channel, Doorbell doorbell) {
        // listeners are made before the handshake: they ask for a key when somebody has connected
        return new ChannelContext(
                agent.gpu(),
                channel,
                listeners.address(channel),
                peer,
                sendsAreGranted,
                doorbell,
                purpose -> keys.derive(purpose));
    }

    private Nic nic(int device) {
        return transport.devices().get(device);
    }

    /** Listens for so many channels, each on its device; one that listens elsewhere already is moved. */
    void listen(int[] devices) {
        listeners.listen(devices);
    }

    List<byte[]> handles() {
        return listeners.handles();
    }

    private Where where(int channel, int device) {
        return Where.ofGpu(agent.gpu().id())
                .phase(Where.Phase.CHANNELS)
                .channel(channel, nic(device).name());
    }

    private Where place() {
        return Where.ofGpu(agent.gpu().id()).phase(Where.Phase.CHANNELS);
    }

    /** What a link's data plane is made of. */
    record Channels(List<OutboundEnd> outbound, List<InboundEnd> inbound) {}

    /**
     * Accepts every channel listened for, and connects one to each handle.
     *
     * @param devices the device of each channel to connect
     * @param handles where to, one a channel; empty to connect none
     * @param accept whether to accept
     * @param lost channels that are not waited for: they begin as lost ones
     */
    CompletableFuture<Channels> open(
            int[] devices, List<byte[]> handles, boolean accept, BitSet lost, Deadline deadline) {
        Setup setup = new Setup(devices, handles, accept, lost, deadline);
        running = setup;
        agent.add(setup, bell);
        setup.done.whenComplete((channels, error) -> agent.remove(setup, bell));
        return setup.done;
    }

    /** A link has the channels now, and closes them. */
    void taken() {
        untaken = null;
        linked = true;
    }

    /** Gives up what is being made, and what is made as long as no link has it. */
    void cancel(String why) {
        if (running != null && !running.done.isDone()) {
            running.fail(new LinkException(place(), why), true);
        }
        listeners.close();
        Channels left = untaken;
        if (left != null) {
            untaken = null;
            left.outbound().forEach(end -> closeQuietly(end.channel()));
            left.inbound().forEach(end -> closeQuietly(end.channel()));
        }
        if (!linked) {
            slots.leave();
        }
    }

    /** The link's part in pinned slots too, once nothing uses them any more. */
    void close() {
        cancel("the link is closed");
        slots.leave();
    }

    private static void closeQuietly(@Nullable AutoCloseable c) {
        try {
            if (c != null) {
                c.close();
            }
        } catch (Exception e) {
            // what failed is being reported already
        }
    }

    private ChannelCounters counters(int channel, boolean sending, int device) {
        ChunkEvent.Source source = new ChunkEvent.Source(
                agent.gpu().id(),
                channel,
                sending ? "send" : "receive",
                nic(device).name());
        return new ChannelCounters(instrumented ? new ChannelTiming(source) : null);
    }

    private @Nullable StagingShare staging(int device, boolean sends) {
        return slots.of(nic(device), sends, peer, chunkBytes, place());
    }

    private boolean takesLists() {
        return transport.mostPieces() > 1;
    }

    private final class Setup implements Work {
        private final int[] devices;
        private final @Nullable Connector[] connectors;
        private final @Nullable SendChannel[] sending;
        private final @Nullable ReceiveChannel[] receiving;
        private final boolean accept;
        private final Deadline deadline;
        private final CompletableFuture<Channels> done = new CompletableFuture<>();
        private final long begun = System.nanoTime();

        Setup(int[] devices, List<byte[]> handles, boolean accept, BitSet lost, Deadline deadline) {
            this.devices = devices;
            this.connectors = new Connector[handles.size()];
            this.sending = new SendChannel[handles.size()];
            this.receiving = new ReceiveChannel[accept ? listeners.count() : 0];
            this.accept = accept;
            this.deadline = deadline;
            for (int c = lost.nextSetBit(0); c >= 0; c = lost.nextSetBit(c + 1)) {
                if (c < sending.length) {
                    sending[c] = new UnmadeChannel(nic(devices[c]).name());
                }
                if (c < receiving.length) {
                    receiving[c] = new UnmadeChannel(nic(listeners.device(c)).name());
                    listeners.drop(c);
                }
            }
            for (int c = 0; c < connectors.length; c++) {
                if (sending[c] != null) {
                    continue;
                }
                try {
                    connectors[c] = transport.connect(devices[c], handles.get(c), sending(c));
                } catch (TransportException e) {
                    fail(new LinkException(where(c, devices[c]), "cannot connect: " + e.getMessage(), e), true);
                    return;
                }
            }
        }

        @Override
        public int doWork(long now) {
            if (done.isDone()) {
                return 0;
            }
            int progress = 0;
            int missing = 0;
            int c = 0;
            try {
                for (c = 0; c < connectors.length; c++) {
                    Connector connector = connectors[c];
                    if (connector != null) {
                        sending[c] = connector.connect();
                        if (sending[c] == null) {
                            missing++;
                        } else {
                            connectors[c] = null;
                            connector.close();
                            progress++;
                        }
                    }
                }
            } catch (TransportException e) {
                fail(new LinkException(where(c, devices[c]), "cannot connect: " + e.getMessage(), e), true);
                return 1;
            }
            try {
                boolean connecting = missing > 0 && now - begun < CONNECT_FIRST_NANOS;
                for (c = 0; c < receiving.length; c++) {
                    if (receiving[c] != null) {
                        continue;
                    }
                    receiving[c] = connecting ? null : listeners.accept(c);
                    if (receiving[c] == null) {
                        missing++;
                    } else {
                        progress++;
                    }
                }
            } catch (TransportException e) {
                fail(new LinkException(where(c, listeners.device(c)), "cannot accept: " + e.getMessage(), e), true);
                return 1;
            }
            if (missing == 0) {
                finish();
            } else if (deadline.passed()) {
                fail(
                        new LinkException(
                                ErrorCode.UNREACHABLE,
                                Where.ofGpu(agent.gpu().id()).phase(Where.Phase.CHANNELS),
                                overdue()),
                        true);
            }
            return progress;
        }

        private void finish() {
            List<OutboundEnd> outbound = new ArrayList<>();
            List<InboundEnd> inbound = new ArrayList<>();
            try {
                for (int c = 0; c < sending.length; c++) {
                    SendChannel channel = sending[c];
                    if (channel != null) {
                        outbound.add(new OutboundEnd(
                                c, 0, channel, counters(c, true, devices[c]), staging(devices[c], true), takesLists()));
                    }
                }
                for (int c = 0; c < receiving.length; c++) {
                    ReceiveChannel channel = receiving[c];
                    if (channel != null) {
                        int device = listeners.device(c);
                        inbound.add(new InboundEnd(
                                c,
                                0,
                                channel,
                                counters(c, false, device),
                                staging(device, false),
                                nic(device).scatters() ? agent.unpack() : null,
                                takesLists()));
                    }
                }
            } catch (RuntimeException e) {
                fail(e, true);
                return;
            }
            Channels all = new Channels(outbound, inbound);
            untaken = all;
            done.complete(all);
        }

        private String overdue() {
            List<String> late = new ArrayList<>();
            for (int c = 0; c < connectors.length; c++) {
                if (connectors[c] != null) {
                    late.add(
                            "channel " + c + " to connect on " + nic(devices[c]).name());
                }
            }
            for (int c = 0; accept && c < listeners.count(); c++) {
                if (listeners.awaits(c)) {
                    late.add("channel " + c + " to be accepted on "
                            + nic(listeners.device(c)).name());
                }
            }
            return "not made within " + deadline.text() + ": " + String.join(", ", late)
                    + "; can the peer reach these NICs (firewall, subnets)?";
        }

        void fail(RuntimeException why, boolean closeAll) {
            if (closeAll) {
                Arrays.stream(connectors).forEach(ChannelManager::closeQuietly);
                Arrays.stream(sending).forEach(ChannelManager::closeQuietly);
                Arrays.stream(receiving).forEach(ChannelManager::closeQuietly);
                slots.leave();
            }
            done.completeExceptionally(why);
        }

        @Override
        public void fail(Throwable why) {
            fail(Faults.of(why, place()), true);
        }

        @Override
        public int restMillis() {
            return LinkRest.lookMillis(System.nanoTime() - begun);
        }
    }
}
