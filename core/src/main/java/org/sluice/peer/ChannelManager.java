package org.sluice.peer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.sluice.ErrorCode;
import org.sluice.LinkException;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.spi.ChannelContext;
import org.sluice.spi.ChannelKeys;
import org.sluice.spi.Connector;
import org.sluice.spi.Doorbell;
import org.sluice.spi.Gpu;
import org.sluice.spi.Listener;
import org.sluice.spi.Nic;
import org.sluice.spi.PeerId;
import org.sluice.spi.ReceiveChannel;
import org.sluice.spi.SendChannel;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;
import org.sluice.stats.ChannelCounters;
import org.sluice.stats.ChannelTiming;
import org.sluice.stats.ChunkEvent;
import org.sluice.transfer.Agent;
import org.sluice.transfer.InboundEnd;
import org.sluice.transfer.OutboundEnd;
import org.sluice.transfer.StagingPool;
import org.sluice.transfer.StagingShare;
import org.sluice.transfer.Work;
import org.sluice.wire.Deadline;
import org.sluice.wire.LinkKey;
import org.sluice.wire.NodeIdentity;
import org.sluice.wire.Offer;

/**
 * Makes the channels of one GPU's link: listens, accepts and connects, all channels side by side, since a plugin's accept can
 * take seconds. Every method runs on the GPU's agent thread; the futures complete there.
 */
final class ChannelManager {
    /** Rest between looks at channels that are being made, whose transport may have no doorbell to ring. */
    static final int LOOK_MILLIS = 1;

    /**
     * How long accepting waits for this side's connects. A plugin whose accept waits for its peer (FastSocket) would otherwise hold
     * up the connect that the peer's accept waits for. Where a connect in turn needs the peer to accept, this is all that is lost.
     */
    private static final long CONNECT_FIRST_NANOS = 20_000_000;

    private final Agent agent;
    private final Transport transport;
    private final int stagingSlots;
    private final boolean instrumented;

    /** Nodes have no identity yet: what is unique to the link lets its own channels share connections, and no others. */
    private volatile PeerId peer = PeerId.unique();

    private long chunkBytes;
    private volatile ChannelKeys keys = ChannelKeys.NONE;
    private volatile boolean sendsAreGranted;
    private final @Nullable Listener[] listeners = new Listener[Offer.MOST_CHANNELS];
    private final int[] listenDevice = new int[Offer.MOST_CHANNELS];
    private int[] address = new int[Offer.MOST_CHANNELS];
    private int listening;
    private @Nullable StagingShare sendSlots;
    private @Nullable StagingShare receiveSlots;
    private boolean linked;
    private @Nullable Setup running;

    /** Channels that are made, until a link has them. */
    private @Nullable Channels untaken;

    ChannelManager(Agent agent, Transport transport, long chunkBytes, int stagingSlots, boolean instrumented) {
        this.agent = agent;
        this.transport = transport;
        this.chunkBytes = chunkBytes;
        this.stagingSlots = stagingSlots;
        this.instrumented = instrumented;
    }

    /**
     * The client's word on the chunk size. Before {@link #open}.
     *
     * @return the longest chunk that this side can do: less where it goes through pinned slots that are smaller
     */
    long chunkBytes(long bytes) {
        leaveSlots();
        chunkBytes = bytes;
        if (transport.devices().stream().anyMatch(this::needsSlots)) {
            chunkBytes = Math.min(bytes, sendSlots().slotBytes());
            chunkBytes = Math.min(chunkBytes, receiveSlots().slotBytes());
        }
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

    /** The place of each channel's address among those of its NIC; listeners that are there already are made anew. */
    void addresses(int[] ofChannel) {
        int[] wanted = Arrays.copyOf(ofChannel, Offer.MOST_CHANNELS);
        for (int c = 0; c < listening; c++) {
            Listener there = listeners[c];
            if (there != null && wanted[c] != address[c]) {
                there.close();
                listeners[c] = null;
            }
        }
        address = wanted;
    }

    /** Whether what is sent waits for grants: the agent wakes when they come, and need not for each few chunks that have left. */
    void sendsAreGranted(boolean granted) {
        sendsAreGranted = granted;
    }

    ChannelContext receiving(int channel) {
        return context(channel, agent);
    }

    ChannelContext sending(int channel) {
        // a staging slot must be refilled as soon as it is free; memory that is sent from where it is needs nothing
        return context(channel, sendsAreGranted && agent.gpu().hostAccessible() ? () -> {} : agent);
    }

    private ChannelContext context(int channel, Doorbell doorbell) {
        // listeners are made before the handshake: they ask for a key when somebody has connected
        return new ChannelContext(
                agent.gpu(),
                channel,
                address[channel],
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
        for (int c = devices.length; c < listening; c++) {
            Listener surplus = listeners[c];
            if (surplus != null) {
                surplus.close();
                listeners[c] = null;
            }
        }
        listening = devices.length;
        for (int c = 0; c < devices.length; c++) {
            Listener there = listeners[c];
            if (there != null && listenDevice[c] == devices[c]) {
                continue;
            }
            if (there != null) {
                there.close();
                listeners[c] = null;
            }
            try {
                listeners[c] = transport.listen(devices[c], receiving(c));
                listenDevice[c] = devices[c];
            } catch (TransportException e) {
                throw new LinkException(where(c, devices[c]), "cannot listen: " + e.getMessage(), e);
            }
        }
    }

    List<byte[]> handles() {
        List<byte[]> handles = new ArrayList<>();
        for (Listener l : listeners) {
            if (l != null) {
                handles.add(l.handle());
            }
        }
        return handles;
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
        agent.add(setup);
        setup.done.whenComplete((channels, error) -> agent.remove(setup));
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
        for (int c = 0; c < listeners.length; c++) {
            Listener l = listeners[c];
            if (l != null) {
                l.close();
                listeners[c] = null;
            }
        }
        Channels left = untaken;
        if (left != null) {
            untaken = null;
            left.outbound().forEach(end -> closeQuietly(end.channel()));
            left.inbound().forEach(end -> closeQuietly(end.channel()));
        }
        if (!linked) {
            leaveSlots();
        }
    }

    /** The link's part in pinned slots too, once nothing uses them any more. */
    void close() {
        cancel("the link is closed");
        leaveSlots();
    }

    private void leaveSlots() {
        closeQuietly(sendSlots);
        closeQuietly(receiveSlots);
        sendSlots = null;
        receiveSlots = null;
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

    /** Whether a NIC's chunks go through pinned slots. */
    private boolean needsSlots(Nic nic) {
        Gpu gpu = agent.gpu();
        return !gpu.hostAccessible() && !nic.memory().contains(gpu.memoryKind());
    }

    private StagingShare sendSlots() {
        StagingShare there = sendSlots;
        if (there == null) {
            there = share(agent.sendSlots());
            sendSlots = there;
        }
        return there;
    }

    private StagingShare receiveSlots() {
        StagingShare there = receiveSlots;
        if (there == null) {
            there = share(agent.receiveSlots());
            receiveSlots = there;
        }
        return there;
    }

    private StagingShare share(StagingPool pool) {
        return pool.share(peer, chunkBytes, stagingSlots);
    }

    private @Nullable StagingShare staging(int device, boolean sends) {
        if (!needsSlots(nic(device))) {
            return null;
        }
        StagingShare slots = sends ? sendSlots() : receiveSlots();
        if (slots.slotBytes() < chunkBytes) {
            throw new LinkException(
                    place(),
                    "chunks of " + chunkBytes + " bytes do not fit the pinned slots of " + slots.slotBytes()
                            + " bytes; give smaller chunks, or more memory for staging");
        }
        return slots;
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
        private final long acceptAt = System.nanoTime() + CONNECT_FIRST_NANOS;

        Setup(int[] devices, List<byte[]> handles, boolean accept, BitSet lost, Deadline deadline) {
            this.devices = devices;
            this.connectors = new Connector[handles.size()];
            this.sending = new SendChannel[handles.size()];
            this.receiving = new ReceiveChannel[accept ? listening : 0];
            this.accept = accept;
            this.deadline = deadline;
            for (int c = lost.nextSetBit(0); c >= 0; c = lost.nextSetBit(c + 1)) {
                if (c < sending.length) {
                    sending[c] = new UnmadeChannel(nic(devices[c]).name());
                }
                if (c < receiving.length) {
                    receiving[c] = new UnmadeChannel(nic(listenDevice[c]).name());
                    closeQuietly(listeners[c]);
                    listeners[c] = null;
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
                boolean connecting = missing > 0 && now - acceptAt < 0;
                for (c = 0; c < receiving.length; c++) {
                    Listener listener = listeners[c];
                    if (listener != null && connecting) {
                        missing++;
                    } else if (listener != null) {
                        receiving[c] = listener.accept();
                        if (receiving[c] == null) {
                            missing++;
                        } else {
                            listeners[c] = null;
                            listener.close();
                            progress++;
                        }
                    }
                }
            } catch (TransportException e) {
                fail(new LinkException(where(c, listenDevice[c]), "cannot accept: " + e.getMessage(), e), true);
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
                        int device = listenDevice[c];
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
            for (int c = 0; accept && c < listening; c++) {
                if (listeners[c] != null) {
                    late.add("channel " + c + " to be accepted on "
                            + nic(listenDevice[c]).name());
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
                leaveSlots();
            }
            done.completeExceptionally(why);
        }

        @Override
        public void fail(Throwable why) {
            fail(
                    switch (why) {
                        case SluiceException s -> s.at(place());
                        case ThreadLimitException t ->
                            new LinkException(ErrorCode.RESOURCES, place(), String.valueOf(t.getMessage()), t);
                        default -> new LinkException(ErrorCode.INTERNAL, place(), "internal error: " + why, why);
                    },
                    true);
        }

        @Override
        public int restMillis() {
            return LOOK_MILLIS;
        }
    }
}
