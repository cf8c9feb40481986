package org.sluice.peer;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ClosedException;
import org.sluice.ConfigException;
import org.sluice.ErrorCode;
import org.sluice.LeftOut;
import org.sluice.LinkException;
import org.sluice.LinkPath;
import org.sluice.Notification;
import org.sluice.ProtocolException;
import org.sluice.SluiceException;
import org.sluice.Where;
import org.sluice.spi.MemorySharing;
import org.sluice.transfer.Agent;
import org.sluice.transfer.EngineSettings;
import org.sluice.transfer.LinkEngine;
import org.sluice.wire.Answer;
import org.sluice.wire.ControlConnection;
import org.sluice.wire.Deadline;
import org.sluice.wire.FrameSeal;
import org.sluice.wire.FrameSocket;
import org.sluice.wire.FrameType;
import org.sluice.wire.Handshake;
import org.sluice.wire.Introduction;
import org.sluice.wire.LinkKey;
import org.sluice.wire.MovableStream;
import org.sluice.wire.NodeIdentity;
import org.sluice.wire.Offer;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;
import org.sluice.wire.Target;
import org.sluice.wire.Tls;
import org.sluice.wire.UcclBootstrap;

/**
 * One link on its way from nothing to {@link LinkSession}: the steps of the bootstrap, for one GPU, as server or as client. The
 * {@link Orchestrator} calls the steps of all GPUs side by side. Steps wait; none waits beyond the deadline.
 */
final class LinkMaking {
    private static final Logger log = LoggerFactory.getLogger(LinkMaking.class);

    /** Addresses of the server's that are tried for a control connection whose own has gone silent. */
    private static final int MOST_WAYS = 16;

    private final LinkPlan plan;
    private final Agent agent;
    private final int together;
    private final int gpu;
    private final ChannelManager manager;
    private final Destination destination;
    private @Nullable FrameSocket socket;
    private @Nullable Introduction introduction;
    private @Nullable EngineSettings settings;
    private List<Rail> rails = List.of();

    /** Channels whose rail ought to work and does not now: they begin as lost ones. */
    private final BitSet lost = new BitSet();

    private @Nullable PeerRails leased;
    private List<byte[]> peerHandles = List.of();
    private List<RemoteNic> peerNics = List.of();
    private @Nullable NodeIdentity peerNode;
    private String notShared = "";
    private boolean server;
    private boolean duplex;
    private byte[] note = {};
    private int peerGpu = -1; // not said yet
    private volatile Where.Phase phase = Where.Phase.BOOTSTRAP;
    private volatile boolean cancelled;
    private ChannelManager.@Nullable Channels channels;

    /** Where a client goes to: the port of one GPU, or the port of a whole node, where it says which GPU it wants. */
    sealed interface Destination {
        int port();

        record GpuPort(int port) implements Destination {}

        record NodePort(int port, int gpu) implements Destination {}
    }

    /** @param together how many links stand or fall together, one for each GPU of the node; 0 for one that is made alone */
    LinkMaking(LinkPlan plan, Agent agent, int together) {
        this(
                plan,
                agent,
                together,
                new Destination.GpuPort(plan.config().portBase() + agent.gpu().id()));
    }

    LinkMaking(LinkPlan plan, Agent agent, int together, Destination destination) {
        this.plan = plan;
        this.together = together;
        this.agent = agent;
        this.destination = destination;
        this.gpu = agent.gpu().id();
        this.manager = new ChannelManager(
                agent,
                plan.transport(),
                plan.chunkBytes(),
                plan.stagingSlots(),
                plan.config().instrumented());
    }

    int gpu() {
        return gpu;
    }

    byte[] note() {
        return note;
    }

    int channelCount() {
        return rails.isEmpty() ? plan.config().channels() : rails.size();
    }

    // --- server
    // ---------------------------------------------------------------------------------------------------------

    /** Listens on as many channels as configured, spread over the node's NICs; the client's NICs may change that later. */
    void listen() {
        int[] devices = ownSpread(plan.config().channels()).stream()
                .mapToInt(Rail::server)
                .toArray();
        onAgent(() -> manager.listen(devices));
    }

    /** Without a word about the peer's NICs: each side its own in turn, which meets where both name them in the same order. */
    private List<Rail> ownSpread(int count) {
        int nics = plan.transport().devices().size();
        return IntStream.range(0, count)
                .mapToObj(c -> new Rail((c + gpu) % nics, (c + gpu) % nics, 0, 0))
                .toList();
    }

    /** The client left before the link was made: what it said counts no more, and the next one begins anew. */
    void forgetClient() {
        socket = null;
        peerGpu = -1;
    }

    /** Answers a client's offer. */
    void answer(LinkRequest request) throws IOException {
        server = true;
        FrameSocket s = request.socket().until(Deadline.in(plan.deadline()));
        socket = s;
        introduced(request.introduction());
        Offer offer = request.offer();
        NodeIdentity client = request.client();
        peerGpu = offer.gpu();
        peerNics = client.nics();
        peerNode = client;
        manager.peer(client);
        duplex = offer.duplex();
        note = offer.note();
        try {
            if (offer.together() != together && offer.together() > 0 && together > 0) {
                throw new LinkException(
                        where(),
                        "the client has " + offer.together() + " GPUs, this server " + together
                                + "; give both the same --gpus");
            }
            expectTransport(client);
            expectNic(plan.rails().isOneHost(client, isThisHost(s.stream().socket())));
            List<Integer> ofChannel = RailSpread.of(
                    offer.rails(), offer.proven(), plan.near(agent.gpu()), offer.near(), offer.channels(), gpu);
            ride(offer.rails(), ofChannel, offer.proven());
            tellIdle(client, offer.rails().subList(0, offer.proven()), Map.of());
            int window = Math.min(offer.window(), plan.window());
            int[] devices = rails.stream().mapToInt(Rail::server).toArray();
            int[] addresses = rails.stream().mapToInt(Rail::serverAddress).toArray();
            onAgent(() -> {
                manager.addresses(addresses);
                manager.listen(devices);
            });
            long chunk = onAgent(() -> manager.chunkBytes(offer.chunkBytes()));
            settings = settings(chunk, offer.roundRobin(), window);
            List<byte[]> handles = onAgent(manager::handles);
            s.write(FrameType.ANSWER, new Answer(gpu, window, ofChannel, handles).encode());
            peerHandles = Answer.decodeHandles(s.read(FrameType.HANDLES));
            expectHandles(duplex ? rails.size() : 0);
        } catch (SluiceException e) {
            s.refuse(String.valueOf(e.getMessage()));
            throw e;
        }
    }

    /** Sends the handles the way UCCL does, to whoever has connected. */
    void answerBare(SocketChannel client) throws IOException {
        server = true;
        FrameSocket s = new FrameSocket(client, Deadline.in(plan.deadline()));
        socket = s;
        rails = ownSpread(plan.config().channels());
        settings = settings(plan.chunkBytes(), true, plan.window());
        UcclBootstrap.send(client, onAgent(manager::handles));
    }

    // --- client
    // ---------------------------------------------------------------------------------------------------------

    /** Connects to the server, makes the offer and takes the answer. */
    void offer(String host, Deadline deadline) throws IOException {
        FrameSocket s = greeted(host, deadline);
        s.write(FrameType.IDENTITY, plan.rails().self().encode());
        NodeIdentity node = NodeIdentity.decode(s.read(FrameType.IDENTITY));
        PeerRails.Found found;
        try {
            found = rails(s, node, deadline);
        } catch (SluiceException e) {
            s.refuse(e.what()); // the server waits for this client, and hears why in vain
            throw e;
        }
        s.write(
                FrameType.OFFER,
                new Offer(
                                gpu,
                                together,
                                plan.config().channels(),
                                duplex,
                                plan.roundRobin(),
                                plan.window(),
                                plan.chunkBytes(),
                                plan.near(agent.gpu()),
                                found.rails(),
                                found.proven(),
                                plan.config().note())
                        .encode());
        Answer answer = Answer.decode(s.read(FrameType.ANSWER), found.rails().size());
        if (answer.rails().size() != plan.config().channels()) {
            throw new ProtocolException(
                    where(),
                    "the server answered with " + answer.rails().size() + " channels, asked for were "
                            + plan.config().channels());
        }
        peerGpu = answer.gpu();
        peerNics = node.nics();
        ride(found.rails(), answer.rails(), found.proven());
        long chunk = onAgent(() -> manager.chunkBytes(plan.chunkBytes()));
        settings = settings(chunk, plan.roundRobin(), Math.min(answer.window(), plan.window()));
        peerHandles = answer.handles();
        expectHandles(rails.size());
        int[] addresses = rails.stream().mapToInt(Rail::clientAddress).toArray();
        onAgent(() -> manager.addresses(addresses));
        List<byte[]> mine = List.of();
        if (duplex) {
            int[] devices = rails.stream().mapToInt(Rail::client).toArray();
            onAgent(() -> manager.listen(devices));
            mine = onAgent(manager::handles);
        }
        s.write(FrameType.HANDLES, Answer.encodeHandles(mine));
    }

    /** The rails towards a server that has said who it is, once enough of them are proven. */
    private PeerRails.Found rails(FrameSocket s, NodeIdentity node, Deadline deadline) throws IOException {
        expectTransport(node);
        peerNode = node;
        manager.peer(node);
        boolean oneHost = plan.rails().isOneHost(node, isThisHost(s.stream().socket()));
        expectNic(oneHost);
        if (destination instanceof Destination.NodePort to) {
            s.write(FrameType.TARGET, new Target(to.gpu()).encode());
        }
        duplex = plan.config().duplex();
        PeerRails toServer = plan.rails().towards(node, oneHost);
        leased = toServer;
        PeerRails.Found found = toServer.await(deadline, plan.roundRobin(), where());
        tellIdle(node, found.rails().subList(0, found.proven()), toServer.whyIdle());
        return found;
    }

    /** Takes the handles the way UCCL sends them. */
    void offerBare(String host, Deadline deadline) throws IOException {
        FrameSocket s = secured(new FrameSocket(search(host).next(deadline), deadline), deadline);
        expectNic(isThisHost(s.stream().socket()));
        peerHandles = UcclBootstrap.receive(s);
        rails = ownSpread(peerHandles.size());
        settings = settings(plan.chunkBytes(), true, plan.window());
    }

    /** Whether a connection leads to this host itself. */
    private static boolean isThisHost(SocketChannel connection) throws IOException {
        return connection.getRemoteAddress() instanceof InetSocketAddress peer
                && (peer.getAddress().isLoopbackAddress()
                        || NetworkInterface.getByInetAddress(peer.getAddress()) != null);
    }

    private void expectTransport(NodeIdentity peer) {
        if (!peer.transport().equals(plan.transport().name())) {
            throw new LinkException(
                    where(),
                    "the peer uses transport " + peer.transport() + ", this side "
                            + plan.transport().name() + "; give both the same --transport");
        }
    }

    /** @throws ConfigException when the peer is on another host and no NIC of this one can reach any */
    private void expectNic(boolean oneHost) {
        if (oneHost || !plan.rails().self().nics().stream().allMatch(RemoteNic::staysOnItsHost)) {
            return;
        }
        List<LeftOut> leftOut = plan.transport().leftOut();
        throw new ConfigException(
                where(),
                "no NIC here leads to another host, and the peer is one; "
                        + (leftOut.isEmpty()
                                ? "this side was told to use only rails within this host; give it other --nics"
                                : "left out: "
                                        + leftOut.stream()
                                                .map(LeftOut::toString)
                                                .collect(Collectors.joining(", "))
                                        + "; mend one of them, or name it with --nics"));
    }

    /** Gives each channel its rail. @param proven how many of the offered rails work */
    private void ride(List<Rail> offered, List<Integer> ofChannel, int proven) {
        rails = ofChannel.stream().map(offered::get).toList();
        for (int c = 0; c < ofChannel.size(); c++) {
            lost.set(c, ofChannel.get(c) >= proven);
        }
    }

    /** A NIC that carries nothing is nothing to be silent about. */
    private void tellIdle(NodeIdentity peer, List<Rail> used, Map<Integer, String> why) {
        List<LeftOut> idle = PeerRails.idle(plan.rails().self().nics(), used, server, peer.name(), why);
        if (plan.rails().idle(peer, idle)) {
            idle.forEach(l -> log.warn("NIC {}", l));
        }
    }

    private ServerSearch search(String host) {
        return new ServerSearch(
                Where.ofGpu(gpu).phase(phase), host, destination.port(), InetAddress::getAllByName, () -> cancelled);
    }

    /** A connection on which the hellos were said. A server that has too many strangers drops some without a word: again, then. */
    private FrameSocket greeted(String host, Deadline deadline) throws IOException {
        ServerSearch search = search(host);
        while (true) {
            SocketChannel channel = search.next(deadline);
            String server = FrameSocket.peer(channel);
            try {
                FrameSocket s = secured(new FrameSocket(channel, deadline), deadline);
                introduced(Handshake.asClient(s, plan.secret()));
                return s;
            } catch (EOFException | SocketException e) {
                channel.close();
                if (deadline.passed() || cancelled) {
                    throw e;
                }
                search.failed(server + " closed the connection before it said who it is", e);
                search.pause(deadline);
            }
        }
    }

    private FrameSocket secured(FrameSocket plain, Deadline deadline) throws IOException {
        socket = plain; // what cancelling closes
        Tls tls = plan.tls();
        if (tls == null) {
            return plain;
        }
        FrameSocket s = new FrameSocket(tls.connect(plain.stream().socket(), deadline), deadline);
        socket = s;
        return s;
    }

    // --- both
    // -----------------------------------------------------------------------------------------------------------

    private void expectHandles(int count) {
        if (peerHandles.size() != count) {
            throw new ProtocolException(
                    where(), "the peer sent " + peerHandles.size() + " channel handles, expected were " + count);
        }
    }

    private EngineSettings settings(long chunk, boolean roundRobin, int window) {
        boolean confirmed = plan.config().bootstrap() == org.sluice.BootstrapFormat.SLUICE;
        // without a control connection a link cannot do without a rail: it waits for each
        long stall = confirmed ? plan.config().stallTimeout().toNanos() : 0;
        int small = plan.config().smallBytes();
        return new EngineSettings(
                chunk, roundRobin, window, Math.min(window, plan.sendWindow()), stall, confirmed, small, where());
    }

    /** The place without the peer: who throws on its connection names it, and it may be closed by now. */
    Where place() {
        return Where.ofGpu(gpu).phase(phase);
    }

    /** Throws why the agent has ended, where it has: nobody else would tell a server that waits for a client. */
    void checkAgent() {
        SluiceException why = agent.endedBecause();
        if (why != null) {
            throw why;
        }
    }

    /** The link as messages name it. */
    Where where() {
        FrameSocket s = socket;
        return Where.ofGpu(gpu)
                .phase(phase)
                .peer((s == null ? "unknown" : s.peer()) + (peerGpu < 0 ? "" : " (its GPU " + peerGpu + ")"));
    }

    /**
     * Accepts and connects all channels, and waits until the peer has done so too. The peer's READY is waited for meanwhile, so
     * that its death ends the wait at once.
     */
    void openChannels() throws IOException {
        FrameSocket first = socket;
        EngineSettings agreed = settings;
        if (first == null || agreed == null) {
            throw new IllegalStateException("no bootstrap before");
        }
        phase = Where.Phase.CHANNELS;
        Deadline deadline = Deadline.in(plan.deadline());
        FrameSocket s = first.until(deadline);
        boolean accepts = server || duplex;
        int[] devices = devices();
        manager.sendsAreGranted(agreed.confirmed());
        CompletableFuture<ChannelManager.Channels> made = new CompletableFuture<>();
        agent.execute(
                () -> {
                    try {
                        manager.open(devices, peerHandles, accepts, lost, deadline)
                                .whenComplete((c, e) -> {
                                    if (e == null) {
                                        made.complete(c);
                                    } else {
                                        made.completeExceptionally(e);
                                    }
                                });
                    } catch (Throwable e) {
                        made.completeExceptionally(e);
                    }
                },
                made::completeExceptionally);
        if (plan.config().bootstrap() == org.sluice.BootstrapFormat.UCCL) {
            channels = get(made, deadline);
            return;
        }
        CompletableFuture<Void> said = made.handle((c, e) -> {
            try {
                if (e == null) {
                    s.write(FrameType.READY, new byte[0]);
                } else {
                    s.refuse(String.valueOf(cause(e).getMessage()));
                    s.close();
                }
            } catch (IOException broken) {
                // the read below sees it too, and says so
            }
            return null;
        });
        try {
            s.read(FrameType.READY);
        } catch (IOException | SluiceException e) {
            if (made.isCompletedExceptionally()) {
                get(made, deadline); // throws what really happened
            }
            cancel("the peer is gone");
            throw new LinkException(where(), "while channels were being made (" + rails() + "): " + e.getMessage(), e);
        }
        get(said, deadline);
        channels = get(made, deadline);
    }

    private void introduced(Introduction with) {
        introduction = with;
        manager.key(with.key());
    }

    /** The local device of each channel. */
    private int[] devices() {
        return rails.stream().mapToInt(server ? Rail::server : Rail::client).toArray();
    }

    private String rails() {
        List<String> nics = rails.stream()
                .map(r -> plan.transport()
                        .devices()
                        .get(server ? r.server() : r.client())
                        .name())
                .distinct()
                .toList();
        return rails.size() + " channels over " + String.join(", ", nics);
    }

    LinkSession start(LinkSession.Events events) throws IOException {
        FrameSocket s = socket;
        EngineSettings agreed = settings;
        ChannelManager.Channels made = channels;
        Introduction with = introduction;
        if (s == null || agreed == null || made == null || (agreed.confirmed() && with == null)) {
            throw new IllegalStateException("not ready");
        }
        boolean confirmed = agreed.confirmed();
        Duration timeout = plan.config().peerTimeout();
        phase = Where.Phase.LINKED;
        Where where = where();
        LinkSession session = onAgent(() -> {
            MovableStream stream = new MovableStream(s.stream(), where);
            LinkKey key = with == null ? null : with.key();
            // TLS seals every frame; without it a link key seals those that carry a program's bytes
            FrameSeal seal = key == null || plan.tls() != null ? null : new FrameSeal(key, !server, where);
            ControlConnection control =
                    confirmed ? new ControlConnection(stream, where, seal, System.nanoTime()) : null;
            int channelsOut = made.outbound().size();
            int channelsIn = made.inbound().size();
            LinkSharing sharing = sharing(control, s.peer(), where);
            LinkRegions regions = new LinkRegions(plan.regions().get(gpu));
            LinkEngine engine = new LinkEngine(
                    agreed,
                    control == null ? NoControl.INSTANCE : new ToPeer(control, seal != null || plan.tls() != null),
                    regions,
                    channelsOut,
                    channelsIn,
                    made.inbound().stream()
                            .map(e -> e.unpack())
                            .filter(u -> u != null)
                            .findFirst()
                            .orElse(null),
                    agent.pieces(),
                    (bytes, tag, length) -> events.notified(new Notification(bytes, tag, length)),
                    sharing);
            ChannelRepair repair = control == null
                    ? null
                    : new ChannelRepair(
                            engine,
                            control,
                            plan.transport(),
                            manager,
                            devices(),
                            railWorks(),
                            made,
                            plan.deadline(),
                            where);
            LinkSession begun = new LinkSession(
                    agent,
                    engine,
                    control,
                    confirmed ? way(stream, with, where) : null,
                    repair,
                    sharing,
                    regions,
                    manager,
                    made,
                    !plan.transport().ringsDoorbell(),
                    where,
                    s.peer(),
                    timeout,
                    events);
            manager.taken();
            lost.stream().forEach(c -> {
                String why = "its rail does not work yet";
                if (c < channelsOut) {
                    engine.withoutRail(true, c, why);
                }
                if (c < channelsIn) {
                    engine.withoutRail(false, c, why);
                }
            });
            PeerRails used = leased;
            if (used != null) {
                leased = null;
                begun.ended().thenRun(used::release);
            }
            return begun;
        });
        if (!confirmed) {
            s.close();
        }
        return session;
    }

    /** The memory that both ends share, where they may; agent thread only. */
    private @Nullable LinkSharing sharing(@Nullable ControlConnection control, String peer, Where where) {
        NodeSharing node = plan.sharing();
        NodeIdentity other = peerNode;
        if (node == null || control == null || other == null) {
            return null;
        }
        MemorySharing memory = agent.gpu().sharing().orElse(null);
        notShared = memory == null
                ? "GPU " + gpu + " cannot share its memory"
                : node.whyNot(plan.rails().self(), other);
        return memory == null || !notShared.isEmpty()
                ? null
                : new LinkSharing(agent, memory, node, control, server, peer, plan.deadline(), where);
    }

    /** Waits until it is known whether memory is shared. @throws LinkException when it is not, and has to be */
    LinkPath awaitPath(LinkSession session) {
        NodeSharing node = plan.sharing();
        if (node == null) {
            return new LinkPath(plan.transport().name(), "");
        }
        LinkSharing sharing = session.sharing();
        String why = sharing == null ? notShared : get(sharing.decided(), Deadline.in(plan.deadline()));
        if (why.isEmpty()) {
            return new LinkPath(
                    node.transport().name(),
                    "the peer is on this host, and each side has copied from the other's memory");
        }
        SluiceException ended = session.ended().getNow(null);
        if (ended != null) {
            throw ended;
        }
        if (node.isDemanded()) {
            throw new LinkException(
                    where(), "transport " + node.transport().name() + " was demanded and cannot be used: " + why);
        }
        return new LinkPath(plan.transport().name(), node.transport().name() + " is not used: " + why);
    }

    /** Whether a channel's rail is worth an attempt: the client, which proves rails, knows it of those that did not work before. */
    private IntPredicate railWorks() {
        PeerRails known = leased;
        return known == null ? c -> true : c -> !lost.get(c) || known.works(rails.get(c));
    }

    /** The control connection's way; the client knows the server's other NICs, and looks for another over them. */
    private ControlWay way(MovableStream stream, Introduction link, Where where) throws IOException {
        ControlMove move = server || isThisHost(stream.socket())
                ? null
                : new ControlMove(agent, plan.tls(), plan.secret(), link, peerAddresses(), destination.port(), where);
        return new ControlWay(agent, stream, link, plan.resumptions(), move, where);
    }

    private List<InetAddress> peerAddresses() {
        return peerNics.stream()
                .flatMap(n -> IntStream.range(0, n.addresses().size()).mapToObj(n::literal))
                .distinct()
                .limit(MOST_WAYS)
                .map(InetAddress::ofLiteral)
                .toList();
    }

    ChannelManager.Channels channels() {
        ChannelManager.Channels c = channels;
        if (c == null) {
            throw new IllegalStateException("not ready");
        }
        return c;
    }

    /** The local and the peer's NIC of a channel, for reports. */
    String localNic(int channel) {
        Rail r = rails.get(channel);
        return plan.transport().devices().get(server ? r.server() : r.client()).name();
    }

    String remoteNic(int channel) {
        Rail r = rails.get(channel);
        int index = server ? r.client() : r.server();
        return index < peerNics.size() ? peerNics.get(index).name() : localNic(channel);
    }

    /** Gives up: from any thread, at any step. */
    void cancel(String why) {
        cancelled = true;
        giveRailsBack();
        FrameSocket s = socket;
        if (s != null) {
            try {
                s.close();
            } catch (IOException e) {
                // being dropped
            }
        }
        agent.execute(() -> manager.cancel(why));
    }

    private synchronized void giveRailsBack() {
        PeerRails unused = leased;
        leased = null;
        if (unused != null) {
            unused.release();
        }
    }

    private void onAgent(Runnable step) {
        onAgent(() -> {
            step.run();
            return true;
        });
    }

    private <T> T onAgent(java.util.concurrent.Callable<T> step) {
        return get(agent.call("a step of making the link", step), Deadline.in(plan.deadline()));
    }

    private <T> T get(CompletableFuture<T> future, Deadline deadline) {
        try {
            // the step has the deadline itself; the second more is for an agent that hangs inside a plugin
            return future.get(deadline.remainingMillis() + 1000L, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            Throwable c = cause(e);
            if (c instanceof RuntimeException r) {
                throw r;
            }
            throw new LinkException(where(), c.getMessage(), c);
        } catch (TimeoutException e) {
            throw new LinkException(
                    ErrorCode.AGENT_HANGS,
                    where(),
                    "the agent did not answer within " + deadline.text() + "; a plugin or driver call may hang",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClosedException(ErrorCode.INTERRUPTED, where(), "interrupted", e);
        }
    }

    private static Throwable cause(Throwable e) {
        Throwable c = e;
        while ((c instanceof ExecutionException || c instanceof java.util.concurrent.CompletionException)
                && c.getCause() != null) {
            c = c.getCause();
        }
        return c;
    }
}
