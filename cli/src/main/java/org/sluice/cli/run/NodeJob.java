package org.sluice.cli.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.BootstrapFormat;
import org.sluice.ChannelStats;
import org.sluice.ClosedException;
import org.sluice.ConfigException;
import org.sluice.LengthMismatchException;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.PathTaken;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.cli.common.Bytes;
import org.sluice.cli.common.HostMemoryCheck;
import org.sluice.cli.common.Values;
import org.sluice.cli.watch.Picture;
import org.sluice.cli.watch.RunEnd;
import org.sluice.linux.ProcessAge;
import org.sluice.spi.GpuException;

/**
 * The main job of one side, from opening the node to the report: GPUs, bootstrap, channels, regions, READY, run. Prints the
 * seed's lines in the seed's order.
 */
public final class NodeJob {
    /** Slowest that a program may fill and compare, for how long its peer waits: a busy machine with cold pages does ten times that. */
    private static final long SLOWEST_BYTES_PER_SECOND = 100_000_000;

    /** The leader's goodbye follows its result at once. */
    private static final Duration GOODBYE = Duration.ofSeconds(5);

    private final Role role;
    private final NodeConfig config;
    private final RunPlan wanted;
    private final Optional<Long> insistedSize;
    private final Consumer<String> line;
    private final int processesHere;
    private final WatchedRun observer;

    /**
     * @param wanted what this side wants run; a server takes the client's word for what it was not told itself
     * @param insistedSize the size that this side was told in so many words, and takes no other
     * @param processesHere how many processes of the run share this machine's memory
     * @param observer looks on; the job closes it
     */
    public NodeJob(
            Role role,
            NodeConfig config,
            RunPlan wanted,
            Optional<Long> insistedSize,
            Steps steps,
            int processesHere,
            WatchedRun observer) {
        this.role = role;
        this.config = config;
        this.wanted = wanted;
        this.insistedSize = insistedSize;
        this.line = steps.printer();
        this.processesHere = processesHere;
        this.observer = observer;
    }

    /** The regions of a GPU, before its link is there. */
    private record Buffers(
            @Nullable Region outbound, @Nullable Region inbound) {
        List<Region> all() {
            List<Region> all = new ArrayList<>();
            if (outbound != null) {
                all.add(outbound);
            }
            if (inbound != null) {
                all.add(inbound);
            }
            return all;
        }

        long address() {
            return all().getFirst().address();
        }
    }

    /** @param host the server, on the client; @param name of the role in the report */
    public Report execute(String host, String name) {
        observer.demands().checkTransport(config);
        if (!spoken()) {
            refuseWhatTakesWords();
        }
        try (observer) {
            observer.open();
            return opened(host, name);
        }
    }

    private Report opened(String host, String name) {
        try (Node node = Node.open(config)) {
            if (role == Role.SERVER) {
                node.bind(); // before the first line that invites a client
            }
            banner(node);
            List<Buffers> buffers = initGpus(node);
            observer.phase(
                    "waiting",
                    role == Role.SERVER ? "a client at port " + config.network().portBase() : "the server " + host);
            List<Link> links = role == Role.SERVER
                    ? node.acceptAll(new SeedSteps(line))
                    : node.connectAll(host, new SeedSteps(line));
            observer.phase("preparing", "");
            try (Goodbye _ = Goodbye.of(links, observer::close)) {
                RunPlan plan = wanted;
                PathTaken path = PathTaken.of(node, links);
                try {
                    observer.demands().checkTransport(path);
                    observer.demands().checkNics(path);
                    if (role == Role.SERVER && spoken()) {
                        plan = agreed(links);
                        buffers = fit(node, buffers, plan);
                    }
                } catch (SluiceException | GpuException e) {
                    pace(links, plan).giveUp(e);
                    throw e;
                }
                register(links, buffers);
                long readyMillis = ready(node);
                return run(node, name, links, buffers, plan, path, readyMillis);
            }
        }
    }

    /** With UCCL's bootstrap nobody can tell the peer anything. */
    private void refuseWhatTakesWords() {
        if (!wanted.duration().isZero()) {
            throw new ConfigException(
                    "with the uccl bootstrap the sides cannot agree on when to stop: give both the same"
                            + " --iters rather than --duration");
        }
        if (role == Role.CLIENT && wanted.verify()) {
            throw new ConfigException(
                    "with the uccl bootstrap this side receives nothing that it could verify, and hears no"
                            + " result: give --verify to the server, which knows what a sluice client sends");
        }
    }

    private boolean spoken() {
        return config.network().bootstrap() == BootstrapFormat.SLUICE;
    }

    private void banner(Node node) {
        line.accept("=== Single-Process P2P Orchestrator ===");
        line.accept("Role: " + Values.text(role));
        line.accept("GPUs: " + node.gpus());
        line.accept("Channels per GPU: " + config.link().channels());
        line.accept("Bootstrap port base: " + config.network().portBase());
        line.accept("=======================================");
        line.accept("");
        line.accept("[INFO] GPU backend " + node.backendFound());
        int nics = node.nics().size();
        line.accept("[INFO] TCPX devices: " + nics);
        line.accept("[INFO] All GPUs can use all " + nics + " NICs (single-process architecture)");
        line.accept("");
    }

    private List<Buffers> initGpus(Node node) {
        checkMemory(node, wanted);
        List<Buffers> buffers = new ArrayList<>();
        for (int g = 0; g < node.gpus(); g++) {
            line.accept("[GPU " + g + "] Initializing...");
            Buffers b = allocate(node, g, wanted);
            buffers.add(b);
            line.accept("[GPU " + g + "] Buffer allocated: 0x" + Long.toHexString(b.address()));
        }
        line.accept("");
        line.accept("[INFO] All GPUs initialized");
        line.accept("");
        return buffers;
    }

    private Buffers allocate(Node node, int gpu, RunPlan plan) {
        long bytes = Math.max(1, plan.size());
        boolean sends = role == Role.CLIENT || plan.bidirectional();
        boolean receives = role == Role.SERVER || plan.bidirectional();
        return new Buffers(sends ? node.allocate(gpu, bytes) : null, receives ? node.allocate(gpu, bytes) : null);
    }

    private void checkMemory(Node node, RunPlan plan) {
        if (node.backend().equals("host")) {
            HostMemoryCheck.needs(
                    plan.bytesPerIteration(node.gpus() * processesHere),
                    node.gpus() + " GPUs with " + Bytes.text(plan.size()) + " each");
        }
    }

    /** What the client wants run, where it fits to what this server was told. */
    private RunPlan agreed(List<Link> links) {
        RunPlan plan =
                RunPlan.parse(links.getFirst().offeredNote(), links.getFirst().peer());
        long given = insistedSize.orElse(plan.size());
        if (given != plan.size()) {
            throw new LengthMismatchException("the client " + links.getFirst().peer() + " sends " + plan.size()
                    + " bytes per GPU and iteration, this server was told to receive " + given
                    + "; give both sides the same --size, or none to the server");
        }
        return plan;
    }

    /** The server's buffers were made before the client's word came. */
    private List<Buffers> fit(Node node, List<Buffers> made, RunPlan plan) {
        if (plan.size() <= wanted.size() && plan.bidirectional() == wanted.bidirectional()) {
            return made;
        }
        made.forEach(b -> b.all().forEach(Region::close));
        checkMemory(node, plan);
        List<Buffers> buffers = new ArrayList<>();
        for (int g = 0; g < node.gpus(); g++) {
            buffers.add(allocate(node, g, plan));
        }
        return buffers;
    }

    private void register(List<Link> links, List<Buffers> buffers) {
        line.accept(
                role == Role.SERVER
                        ? "[SERVER] Step 4: Registering memory..."
                        : "[CLIENT] Step 3: Registering memory...");
        for (int g = 0; g < links.size(); g++) {
            Link link = links.get(g);
            buffers.get(g).all().forEach(link::register);
            line.accept(
                    "[GPU " + g + "] Registered memory on " + link.channels().size() + " channels");
        }
        line.accept("");
    }

    private long ready(Node node) {
        long millis;
        try {
            millis = ProcessAge.now().toMillis();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        line.accept("=== ALL GPUS READY (" + role + ") ===");
        line.accept("Total channels: " + node.gpus() * config.link().channels());
        line.accept("Architecture: Single process, all NICs shared");
        return millis;
    }

    private Pace pace(List<Link> links, RunPlan plan) {
        if (!spoken()) {
            return new FixedPace(plan.iters());
        }
        Duration patience = config.timeouts()
                .deadline()
                .plusSeconds(plan.bytesPerIteration(links.size()) / (SLOWEST_BYTES_PER_SECOND / 3));
        Conversation conversation = new Conversation(links.getFirst(), patience);
        return role == Role.CLIENT ? new LeaderPace(conversation, plan) : new FollowerPace(conversation);
    }

    private Report run(
            Node node,
            String name,
            List<Link> links,
            List<Buffers> buffers,
            RunPlan plan,
            PathTaken path,
            long readyMillis) {
        Contents contents = spoken() ? Contents.OF_EACH_ITERATION : Contents.ALWAYS_THE_SAME;
        Span span = new Span();
        List<GpuLane> lanes = new ArrayList<>();
        for (int g = 0; g < links.size(); g++) {
            Buffers b = buffers.get(g);
            lanes.add(new GpuLane(
                    links.get(g),
                    b.outbound(),
                    b.inbound(),
                    plan,
                    contents,
                    role.number(),
                    config.timeouts().deadline(),
                    span));
        }
        Pace pace = pace(links, plan);
        Run run = new Run(lanes, plan, pace, span);
        observer.begin(name, node, links, plan);
        run.execute();
        observer.moved();
        Outcome outcome = run.outcome().plus(pace.exchange(run.outcome()));
        long bytes = lanes.stream().mapToLong(GpuLane::movedBytes).sum();
        RunEnd end = new RunEnd(
                bytes,
                span.seconds(),
                Report.gbPerSecond(bytes, span.seconds()),
                plan.verify(),
                outcome.verified(),
                outcome.mismatched(),
                outcome.first());
        Report report = report(node, name, plan, path, readyMillis, run.iterations(), lanes, end, observer.end(end));
        if (role == Role.SERVER && spoken()) {
            awaitGoodbye(links);
        }
        return report;
    }

    /** The client ends the links; a server that ended them first could cut off its own result. */
    private static void awaitGoodbye(List<Link> links) {
        long end = System.nanoTime() + GOODBYE.toNanos();
        for (Link link : links) {
            try {
                link.ended().get(Math.max(1, end - System.nanoTime()), TimeUnit.NANOSECONDS);
            } catch (TimeoutException e) {
                return; // the result is complete without its goodbye
            } catch (ExecutionException e) {
                throw new LinkException(String.valueOf(e.getCause()), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ClosedException("interrupted while waiting for the client's goodbye", e);
            }
        }
    }

    private Report report(
            Node node,
            String name,
            RunPlan plan,
            PathTaken path,
            long readyMillis,
            long iterations,
            List<GpuLane> lanes,
            RunEnd end,
            Picture seen) {
        List<Report.PerGpu> perGpu = new ArrayList<>();
        List<Report.PerChannel> perChannel = new ArrayList<>();
        for (GpuLane lane : lanes) {
            int gpu = lane.link().gpu();
            long bytes = lane.movedBytes();
            for (ChannelStats c : lane.link().channels()) {
                perChannel.add(new Report.PerChannel(
                        gpu,
                        c.index(),
                        c.sending() ? "send" : "receive",
                        c.nic(),
                        c.peerNic(),
                        c.bytes(),
                        c.chunks(),
                        c.damaged(),
                        c.retried()));
            }
            perGpu.add(new Report.PerGpu(
                    gpu, node.gpuName(gpu), bytes, lane.seconds(), Report.gbPerSecond(bytes, lane.seconds())));
        }
        return new Report(
                name,
                lanes.getFirst().link().peer(),
                node.backend(),
                node.gpus(),
                config.link().channels(),
                Values.text(config.link().striping()),
                path.transport(),
                path,
                node.chunkBytes(),
                plan.size(),
                iterations,
                plan.bidirectional(),
                plan.verify(),
                readyMillis,
                end.bytes(),
                end.seconds(),
                end.gbPerSecond(),
                end.verifiedBytes(),
                end.mismatchedBytes(),
                end.firstMismatch(),
                perGpu,
                seen.nics().stream().map(Report.PerNic::of).toList(),
                perChannel,
                node.nicsLeftOut().stream()
                        .map(l -> new Report.NicLeftOut(l.nic(), l.reason()))
                        .toList(),
                seen.verdicts());
    }
}
