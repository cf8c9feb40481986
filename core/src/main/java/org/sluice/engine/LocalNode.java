package org.sluice.engine;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ConfigException;
import org.sluice.ErrorCode;
import org.sluice.LeftOut;
import org.sluice.Link;
import org.sluice.LinkingStep;
import org.sluice.NicInfo;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.PathTaken;
import org.sluice.Peer;
import org.sluice.Region;
import org.sluice.RemoteRegion;
import org.sluice.Where;
import org.sluice.peer.LinkEvents;
import org.sluice.peer.LinkMaker;
import org.sluice.peer.LinkPlan;
import org.sluice.peer.NodeSharing;
import org.sluice.peer.Orchestrator;
import org.sluice.peer.RailBook;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.SharedPart;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportException;
import org.sluice.spi.TransportProvider;
import org.sluice.transfer.Agent;
import org.sluice.transfer.AgentLimits;
import org.sluice.transfer.NodeTimer;
import org.sluice.wire.Deadline;
import org.sluice.wire.HostPort;

/**
 * One Sluice process on a host: all its GPUs, all its NICs. Opens GPUs and transport, makes links, owns regions.
 *
 * <p>Any thread may use it. Closing it, at any moment and any number of times, closes its links and frees everything.
 */
final class LocalNode implements Node {
    private static final Logger log = LoggerFactory.getLogger(LocalNode.class);

    private final NodeConfig config;
    private final String backend;
    private final String backendFound;
    private final Transport transport;
    private final @Nullable NodeSharing sharing;
    private final List<NicInfo> nics;
    private final NodeTimer timer;
    private final AgentLimits limits;
    private final List<Agent> agents = new ArrayList<>();
    private final List<SharedRegions> registries = new ArrayList<>();
    private final List<EngineLink> links = new CopyOnWriteArrayList<>();
    private final Orchestrator orchestrator;
    private final LinkMaker linkMaker;
    private final IncomingLinks incoming = new IncomingLinks();
    private final Map<HostPort, RemotePeer> peers = new ConcurrentHashMap<>();
    private final NodeMemory memory;
    private final RailBook rails;
    private final LinkPlan plan;
    private final RateWatch rate;
    private boolean closed;

    LocalNode(NodeConfig config) {
        this.config = config;
        config.requirements().check(config.network().transport());
        this.rate = new RateWatch(config.requirements().leastGbPerSecond(), links);
        BackendChoice taken = BackendChoice.of(config);
        GpuBackend gpus = taken.backend();
        this.backend = gpus.name();
        this.backendFound = taken.found();
        log.info("GPU backend {}", backendFound);
        TransportChoice choice = TransportChoice.of(config.network().transport());
        Transport opened = null;
        NodeSharing shares = null;
        this.limits = AgentLimits.of(config.timeouts().deadline())
                .spinning(config.devices().spin())
                .staging(config.devices().stagingBytes());
        this.timer = timer();
        try {
            int count = config.devices().gpus().orElse(gpus.defaultCount());
            if (count > gpus.count()) {
                throw new ConfigException(
                        count + " GPUs were asked for, " + gpus.name() + " has " + gpus.count() + " here");
            }
            if (config.network().portBase() + count - 1 > 65535) {
                throw new ConfigException("bootstrap ports " + config.network().portBase() + " to "
                        + (config.network().portBase() + count - 1) + " go beyond 65535; give a lower --port");
            }
            for (int g = 0; g < count; g++) {
                agents.add(agent(gpus.open(g)));
                registries.add(new SharedRegions());
            }
            Gpu first = agents.getFirst().gpu();
            int sockets = LinkPlan.socketsPerChannel(config, first);
            opened = transport(choice.network(), config, sockets);
            this.transport = opened;
            shares = choice.openSharing();
            this.sharing = shares;
            if (!opened.leftOut().isEmpty()) {
                log.info("NICs left out: {}", opened.leftOut());
            }
            this.memory = new NodeMemory(agents, registries, links, limits, shares != null);
            this.nics = opened.devices().stream().map(PublicViews::of).toList();
            this.rails = RailKnowledge.open(opened, shares == null ? "" : shares.name(), config, count);
            this.plan = LinkPlan.of(config, opened, rails, sockets, first, List.copyOf(registries), shares);
            this.orchestrator = new Orchestrator(plan, agents);
            this.linkMaker = new LinkMaker(plan, agents, new Incoming());
            if (config.requirements().leastGbPerSecond() > 0) {
                timer.every(RateWatch.EVERY, () -> rate.look(System.nanoTime()));
            }
        } catch (Throwable e) {
            agents.forEach(Agent::beginClose);
            agents.forEach(Agent::close);
            timer.close();
            if (shares != null) {
                shares.close();
            }
            if (opened != null) {
                opened.close();
            }
            throw e;
        }
    }

    private static NodeTimer timer() {
        try {
            return new NodeTimer();
        } catch (ThreadLimitException e) {
            throw new ConfigException(ErrorCode.RESOURCES, Where.NOWHERE, String.valueOf(e.getMessage()), e);
        }
    }

    private Agent agent(Gpu gpu) {
        try {
            return new Agent(
                    gpu,
                    config.devices().unpack(),
                    timer,
                    limits,
                    started -> config.devices().agentStart().accept(PublicViews.of(started)));
        } catch (ThreadLimitException e) {
            gpu.close();
            throw new ConfigException(ErrorCode.RESOURCES, Where.ofGpu(gpu.id()), String.valueOf(e.getMessage()), e);
        }
    }

    private static Transport transport(TransportProvider named, NodeConfig config, int sockets) {
        TransportConfig settings = new TransportConfig(
                config.network().nics(),
                sockets,
                config.link().chunkBytes(),
                config.network().transportOptions());
        try {
            return named.open(settings);
        } catch (TransportException e) {
            throw new ConfigException("transport " + named.name() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public NodeConfig config() {
        return config;
    }

    @Override
    public String backend() {
        return backend;
    }

    @Override
    public String backendFound() {
        return backendFound;
    }

    @Override
    public int gpus() {
        return agents.size();
    }

    @Override
    public String gpuName(int gpu) {
        return agent(gpu).gpu().name();
    }

    @Override
    public String gpuUuid(int gpu) {
        return agent(gpu).gpu().uuid();
    }

    @Override
    public List<NicInfo> nics() {
        return nics;
    }

    @Override
    public List<LeftOut> nicsLeftOut() {
        List<LeftOut> all = new ArrayList<>(transport.leftOut());
        all.addAll(rails.idle());
        return all;
    }

    @Override
    public PathTaken path() {
        return PathTaken.of(this, links);
    }

    @Override
    public boolean isBelowLeastRate() {
        return rate.isBelow();
    }

    @Override
    public long chunkBytes() {
        return plan.chunkBytes();
    }

    @Override
    public int window() {
        return plan.window();
    }

    /** What other nodes ask for. */
    private final class Incoming implements LinkMaker.Incoming {
        @Override
        public LinkEvents events() {
            return new EngineLink.Events();
        }

        @Override
        public void made(Orchestrator.Made made, LinkEvents events) {
            try {
                incoming.add(begun(made, (EngineLink.Events) events));
            } catch (ConfigException e) {
                log.warn("a link that a peer made is refused: {}", e.getMessage());
            }
        }
    }

    @Override
    public InetSocketAddress listen(InetSocketAddress address) {
        return linkMaker.listen(address);
    }

    @Override
    public void onLink(Consumer<Link> program) {
        incoming.listener(program);
    }

    @Override
    public Peer peer(String address) {
        return peers.computeIfAbsent(HostPort.of("the peer's address", address), a -> new RemotePeer(this, a));
    }

    EngineLink connect(HostPort to, int localGpu, int remoteGpu) {
        EngineLink.Events events = new EngineLink.Events();
        return begun(linkMaker.connect(to.host(), to.port(), localGpu, remoteGpu, events), events);
    }

    void forget(RemotePeer peer, HostPort address) {
        peers.remove(address, peer);
    }

    @Override
    public void bind() {
        orchestrator.bind();
    }

    @Override
    public Link accept(int gpu) {
        return made(ev -> orchestrator.serve(List.of(gpu), false, l -> {}, i -> ev.get(i)), 1)
                .getFirst();
    }

    @Override
    public List<Link> acceptAll(Consumer<LinkingStep> steps) {
        List<Integer> all = IntStream.range(0, gpus()).boxed().toList();
        return made(ev -> orchestrator.serve(all, true, steps, i -> ev.get(i)), all.size());
    }

    @Override
    public Link connect(int gpu, String host) {
        return made(ev -> orchestrator.connect(List.of(gpu), false, host, l -> {}, i -> ev.get(i)), 1)
                .getFirst();
    }

    @Override
    public List<Link> connectAll(String host, Consumer<LinkingStep> steps) {
        List<Integer> all = IntStream.range(0, gpus()).boxed().toList();
        return made(ev -> orchestrator.connect(all, true, host, steps, i -> ev.get(i)), all.size());
    }

    private interface Making {
        List<Orchestrator.Made> make(List<EngineLink.Events> events);
    }

    private List<Link> made(Making making, int count) {
        List<EngineLink.Events> events =
                IntStream.range(0, count).mapToObj(i -> new EngineLink.Events()).toList();
        List<Orchestrator.Made> made = making.make(events);
        return IntStream.range(0, count)
                .<Link>mapToObj(i -> begun(made.get(i), events.get(i)))
                .toList();
    }

    private EngineLink begun(Orchestrator.Made made, EngineLink.Events events) {
        EngineLink link = new EngineLink(agents.get(made.report().gpu()), made.report());
        link.bind(made.session());
        events.bind(link);
        Optional<String> unmet = config.requirements().unmetBy(PathTaken.of(this, List.of(link)));
        if (unmet.isPresent()) {
            link.close();
            throw new ConfigException(
                    ErrorCode.CONFIG, Where.ofGpu(link.gpu()), "the link to " + link.peer() + ": " + unmet.get());
        }
        links.add(link);
        link.ended().thenRun(() -> links.remove(link));
        return link;
    }

    private Agent agent(int gpu) {
        if (gpu < 0 || gpu >= agents.size()) {
            throw new ConfigException(Where.ofGpu(gpu), "there is no such GPU, this node has " + agents.size());
        }
        return agents.get(gpu);
    }

    @Override
    public Region allocate(int gpu, long bytes) {
        return memory.allocate(gpu, bytes);
    }

    @Override
    public Region adopt(int gpu, long address, long bytes) {
        return memory.adopt(gpu, address, OwnedRegion.drawKey(bytes));
    }

    @Override
    public Region adopt(int gpu, long address, RemoteRegion key) {
        return memory.adopt(gpu, address, key);
    }

    @Override
    public Region adopt(int gpu, List<SharedPart> parts, RemoteRegion key, String owner) {
        return memory.adopt(gpu, parts, key, owner);
    }

    /**
     * Every step is taken, whatever another throws, and none is waited for beyond its limit: what hangs is left behind, and the log
     * names it.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        ClosingSteps steps = new ClosingSteps();
        steps.take("the bootstrap ports", orchestrator::close);
        steps.take("the node's port", linkMaker::close);
        closeLinks(steps);
        memory.close(steps);
        if (sharing != null) {
            steps.take("what is shared", sharing::close);
        }
        agents.forEach(a -> steps.take("an agent", a::beginClose));
        Deadline end = Deadline.in(limits.close());
        agents.forEach(a ->
                steps.take("an agent", () -> a.close(Duration.ofMillis(Math.max(1, end.remainingMillis())))));
        timer.close();
        steps.take("what is known of rails", rails::close);
        steps.take("transport " + transport.name(), transport::close);
        steps.finish();
    }

    private void closeLinks(ClosingSteps steps) {
        Map<EngineLink, CompletableFuture<Boolean>> closing = new LinkedHashMap<>();
        for (EngineLink l : links) {
            steps.take("a link", () -> closing.put(l, l.beginClose()));
        }
        closing.forEach((l, f) -> steps.take("a link", () -> l.awaitClose(f)));
    }
}
