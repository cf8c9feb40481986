package org.sluice.engine;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.Access;
import org.sluice.ClosedException;
import org.sluice.ConfigException;
import org.sluice.ErrorCode;
import org.sluice.GpuInfo;
import org.sluice.LeftOut;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.LinkingStep;
import org.sluice.NicInfo;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.NotDoneException;
import org.sluice.PathTaken;
import org.sluice.Peer;
import org.sluice.Region;
import org.sluice.RemoteRegion;
import org.sluice.Where;
import org.sluice.peer.LinkMaker;
import org.sluice.peer.LinkPlan;
import org.sluice.peer.LinkSession;
import org.sluice.peer.NodeSharing;
import org.sluice.peer.Orchestrator;
import org.sluice.peer.RailBook;
import org.sluice.spi.Availability;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.Nic;
import org.sluice.spi.RailProver;
import org.sluice.spi.RailProverProvider;
import org.sluice.spi.SharedPart;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.Threads;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportException;
import org.sluice.spi.TransportProvider;
import org.sluice.transfer.Agent;
import org.sluice.transfer.AgentLimits;
import org.sluice.transfer.MemoryBlock;
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

    /** How long giving up a channel may take. */
    private static final Duration AT_ONCE = Duration.ofSeconds(5);

    /** How long a peer that has a region open may take to close it. */
    private static final Duration LET_GO = Duration.ofSeconds(2);

    /** The backend that stands for the best that works here. */
    private static final String AUTO = "auto";

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
    private final RailBook rails;
    private final LinkPlan plan;
    private final RateWatch rate;
    private boolean closed;

    LocalNode(NodeConfig config) {
        this.config = config;
        config.requirements().check(config.transport());
        this.rate = new RateWatch(config.requirements().leastGbPerSecond(), links);
        List<GpuBackend> backends = backends();
        GpuBackend gpus = backend(config, backends);
        this.backend = gpus.name();
        this.backendFound = found(gpus, config, backends);
        log.info("GPU backend {}", backendFound);
        TransportChoice choice = TransportChoice.of(config.transport());
        Transport opened = null;
        NodeSharing shares = null;
        this.limits = AgentLimits.of(config.deadline()).spinning(config.spin()).staging(config.stagingBytes());
        this.timer = timer();
        try {
            int count = config.gpus().orElse(gpus.defaultCount());
            if (count > gpus.count()) {
                throw new ConfigException(
                        count + " GPUs were asked for, " + gpus.name() + " has " + gpus.count() + " here");
            }
            if (config.portBase() + count - 1 > 65535) {
                throw new ConfigException("bootstrap ports " + config.portBase() + " to "
                        + (config.portBase() + count - 1) + " go beyond 65535; give a lower --port");
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
            this.nics = opened.devices().stream().map(LocalNode::info).toList();
            this.rails = rails(opened, shares == null ? "" : shares.name(), config, count);
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

    /** What is known of rails: proven by the transport, or by another's sockets where it has addresses and no prover of its own. */
    private static RailBook rails(Transport transport, String pulls, NodeConfig config, int gpus) {
        RailProver prover = transport.railProver().orElse(null);
        if (prover == null
                && transport.devices().stream().anyMatch(n -> !n.addresses().isEmpty())) {
            RailProverProvider provider =
                    ServiceLoader.load(RailProverProvider.class).findFirst().orElse(null);
            try {
                prover = provider == null ? null : provider.open(transport.devices(), config.transportOptions());
            } catch (TransportException e) {
                log.warn("rails are not proven: {}", e.getMessage());
            }
        }
        return new RailBook(LocalIdentity.of(transport, pulls, prover, gpus), prover);
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
                    config.unpack(),
                    timer,
                    limits,
                    started -> config.agentStart().accept(info(started)));
        } catch (ThreadLimitException e) {
            gpu.close();
            throw new ConfigException(ErrorCode.RESOURCES, Where.ofGpu(gpu.id()), String.valueOf(e.getMessage()), e);
        }
    }

    private static GpuInfo info(Gpu gpu) {
        return new GpuInfo(gpu.id(), gpu.name(), gpu.pciBusId(), gpu.numaNode());
    }

    private static NicInfo info(Nic nic) {
        return new NicInfo(
                nic.name(),
                nic.kernelDevice(),
                nic.addresses(),
                nic.pciPath(),
                nic.numaNode(),
                nic.bitsPerSecond(),
                nic.scatters());
    }

    /** Best first. */
    private static List<GpuBackend> backends() {
        return ServiceLoader.load(GpuBackend.class).stream()
                .map(ServiceLoader.Provider::get)
                .sorted(Comparator.comparingInt(GpuBackend::preference).reversed())
                .toList();
    }

    private static GpuBackend backend(NodeConfig config, List<GpuBackend> all) {
        if (config.backend().equals(AUTO)) {
            return all.stream()
                    .filter(b -> b.availability().usable())
                    .findFirst()
                    .orElseThrow(() -> new ConfigException("no GPU backend is on the module path"));
        }
        GpuBackend named = all.stream()
                .filter(b -> b.name().equals(config.backend()))
                .findFirst()
                .orElseThrow(() -> new ConfigException("there is no GPU backend " + config.backend() + "; there are "
                        + all.stream().map(GpuBackend::name).collect(Collectors.joining(", "))));
        Availability a = named.availability();
        if (!a.usable()) {
            throw new ConfigException("GPU backend " + named.name() + " cannot be used here: " + a.reason());
        }
        return named;
    }

    /** {@code host: plain memory in the place of GPU memory (cuda is not used: there is no CUDA driver: ...)}. */
    private static String found(GpuBackend taken, NodeConfig config, List<GpuBackend> all) {
        String better = all.stream()
                .filter(b -> config.backend().equals(AUTO) && b.preference() > taken.preference())
                .map(b -> " (" + b.name() + " is not used: " + b.availability().reason() + ")")
                .collect(Collectors.joining());
        return taken.name() + ": " + taken.availability().reason() + better;
    }

    private static Transport transport(TransportProvider named, NodeConfig config, int sockets) {
        TransportConfig settings =
                new TransportConfig(config.nics(), sockets, config.chunkBytes(), config.transportOptions());
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
        public LinkSession.Events events() {
            return new EngineLink.Events();
        }

        @Override
        public void made(Orchestrator.Made made, LinkSession.Events events) {
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
        List<Link> result = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            result.add(begun(made.get(i), events.get(i)));
        }
        return result;
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

    @Override
    public Region allocate(int gpu, long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("a region has at least 1 byte, not " + bytes);
        }
        return region(gpu, g -> allocate(g, bytes), OwnedRegion.drawKey(bytes));
    }

    /** Where memory is shared, of a kind that can be. */
    private GpuMemory allocate(Gpu gpu, long bytes) {
        return sharing == null
                ? gpu.allocate(bytes)
                : gpu.sharing().map(s -> s.allocate(bytes)).orElseGet(() -> gpu.allocate(bytes));
    }

    @Override
    public Region adopt(int gpu, long address, long bytes) {
        return adopt(gpu, address, OwnedRegion.drawKey(bytes));
    }

    @Override
    public Region adopt(int gpu, long address, RemoteRegion key) {
        if (key.size() < 1) {
            throw new IllegalArgumentException("a region has at least 1 byte, not " + key.size());
        }
        return region(gpu, g -> g.adopt(address, key.size()), key);
    }

    private interface Allocation {
        GpuMemory from(Gpu gpu);
    }

    private Region region(int gpu, Allocation allocation, RemoteRegion key) {
        Agent agent = agent(gpu);
        GpuMemory memory = get(agent.call(
                "memory of " + key.size() + " bytes",
                () -> allocation.from(agent.gpu()),
                limits.call(key.size()),
                GpuMemory::close));
        return region(gpu, memory, key, false);
    }

    @Override
    public Region adopt(int gpu, List<SharedPart> parts, RemoteRegion key, String owner) {
        Gpu g = agent(gpu).gpu();
        MemorySharing how = g.sharing()
                .orElseThrow(() -> new GpuException("GPU " + gpu + " takes no memory of other processes", 0));
        GpuMemory memory = get(OwnThread.on(g, "opening", () -> how.adopt(parts, owner)));
        if (memory.size() != key.size()) {
            OwnThread.on(g, "closing", () -> close(memory));
            throw new IllegalArgumentException(
                    "the memory of " + owner + " has " + memory.size() + " bytes, not " + key.size());
        }
        return region(gpu, memory, key, true);
    }

    private static boolean close(GpuMemory memory) {
        memory.close();
        return true;
    }

    /** @param ofAnother whether another process owns the memory, and the driver may take long to let it go */
    private Region region(int gpu, GpuMemory memory, RemoteRegion key, boolean ofAnother) {
        SharedRegions registry = registries.get(gpu);
        int number = registry.takeNumber();
        OwnedRegion region = new OwnedRegion(this, gpu, new MemoryBlock(memory, number), key, ofAnother);
        if (!registry.add(key, region, Access.READ_AND_WRITE)) {
            registry.giveNumber(number);
            get(OwnThread.on(agent(gpu).gpu(), "closing", () -> close(memory)));
            throw new IllegalArgumentException("GPU " + gpu + ": another region has this key");
        }
        return region;
    }

    void withdraw(OwnedRegion region) {
        registries.get(region.gpu()).remove(region.remoteKey(), region);
    }

    RemoteRegion share(OwnedRegion region, Access access) {
        RemoteRegion key = OwnedRegion.drawKey(region.size());
        if (!registries.get(region.gpu()).add(key, region, access)) {
            throw new IllegalStateException("two random keys of 128 bits are the same");
        }
        return key;
    }

    void withdraw(OwnedRegion region, RemoteRegion key, Duration atMost) {
        SharedRegions.Withdrawn withdrawn = registries.get(region.gpu()).remove(key, region);
        long end = System.nanoTime() + atMost.toNanos();
        boolean atOnce = false;
        drain(region.gpu(), key, false);
        while (withdrawn.isInUse()) {
            if (System.nanoTime() - end >= 0) {
                if (atOnce) {
                    throw new NotDoneException(
                            Where.ofGpu(region.gpu()),
                            "a region's key is withdrawn, but a peer is still at its memory");
                }
                atOnce = true;
                end = System.nanoTime() + AT_ONCE.toNanos();
                drain(region.gpu(), key, true);
            }
            LockSupport.parkNanos(100_000);
        }
    }

    private void drain(int gpu, RemoteRegion key, boolean atOnce) {
        for (EngineLink l : links) {
            if (l.gpu() == gpu) {
                l.withdraw(key, atOnce);
            }
        }
    }

    /** Begins to free it. */
    CompletableFuture<Void> free(OwnedRegion region) {
        SharedRegions registry = registries.get(region.gpu());
        registry.remove(region);
        List<CompletableFuture<Void>> letGo = new ArrayList<>();
        for (EngineLink l : links) {
            if (l.gpu() == region.gpu()) {
                letGo.add(l.forget(region));
            }
        }
        GpuMemory memory = region.block().memory();
        if (region.isOfAnother()) {
            // the driver may take long, or hang: the agent serves others meanwhile
            Gpu gpu = agent(region.gpu()).gpu();
            return free(region, letGo, () -> registry.giveNumber(region.block().number()))
                    .thenCompose(ok -> OwnThread.on(gpu, "closing", () -> close(memory)))
                    .thenAccept(ok -> {});
        }
        return free(region, letGo, () -> {
            memory.close();
            registry.giveNumber(region.block().number());
        });
    }

    private CompletableFuture<Void> free(OwnedRegion region, List<CompletableFuture<Void>> letGo, Runnable free) {
        if (sharing == null) {
            return release(region, free);
        }
        // what a peer has open is freed when it has closed it: to free it before is undefined for some kinds of memory
        return CompletableFuture.allOf(letGo.toArray(new CompletableFuture<?>[0]))
                .completeOnTimeout(null, LET_GO.toMillis(), TimeUnit.MILLISECONDS)
                .thenComposeAsync(ok -> release(region, free), run -> Threads.startVirtual("freeing", run));
    }

    private CompletableFuture<Void> release(OwnedRegion region, Runnable free) {
        return agent(region.gpu())
                .release(
                        "freeing " + region.size() + " bytes",
                        free,
                        limits.close().plus(limits.call(region.size())).minus(limits.call()));
    }

    private Agent agent(int gpu) {
        if (gpu < 0 || gpu >= agents.size()) {
            throw new ConfigException(Where.ofGpu(gpu), "there is no such GPU, this node has " + agents.size());
        }
        return agents.get(gpu);
    }

    void onAgent(int gpu, String what, long bytes, Consumer<Gpu> call) {
        Agent agent = agent(gpu);
        Callable<Boolean> command = () -> {
            call.accept(agent.gpu());
            return true;
        };
        get(agent.call(what + " " + bytes + " bytes", command, limits.call(bytes), late -> {}));
    }

    /** Long work on the GPU that the agent must not wait for: on the caller's thread, with the GPU bound to it. */
    void onGpu(int gpu, Consumer<Gpu> call) {
        Gpu g = agent(gpu).gpu();
        g.bindThread();
        call.accept(g);
    }

    static <T> T get(CompletableFuture<T> future) {
        try {
            return future.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException r) {
                throw r;
            }
            throw new LinkException(ErrorCode.INTERNAL, Where.NOWHERE, "internal error: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClosedException(ErrorCode.INTERRUPTED, Where.NOWHERE, "interrupted", e);
        }
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
        closeRegions(steps);
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

    private void closeRegions(ClosingSteps steps) {
        List<CompletableFuture<Void>> freeing = new ArrayList<>();
        for (SharedRegions registry : registries) {
            for (OwnedRegion region : registry.regions()) {
                steps.take("a region", () -> {
                    if (region.isUsed()
                            && agents.get(region.gpu()).busyNanos()
                                    > limits.close().toNanos() / 2) {
                        log.warn(
                                "GPU {}: a region of {} bytes is left: {}",
                                region.gpu(),
                                region.size(),
                                agents.get(region.gpu()).doing());
                    } else {
                        freeing.add(region.beginClose());
                    }
                });
            }
        }
        freeing.forEach(f -> steps.take("a region", () -> OwnedRegion.awaitFree(f)));
    }
}
