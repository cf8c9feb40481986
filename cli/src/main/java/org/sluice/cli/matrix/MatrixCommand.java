package org.sluice.cli.matrix;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sluice.ConfigException;
import org.sluice.NicInfo;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.cli.common.Bytes;
import org.sluice.cli.common.Environment;
import org.sluice.cli.common.Failure;
import org.sluice.cli.common.HostMemoryCheck;
import org.sluice.cli.common.Json;
import org.sluice.cli.common.LoopbackRails;
import org.sluice.cli.common.Rate;
import org.sluice.cli.common.Values;
import org.sluice.cli.common.Version;
import org.sluice.cli.options.NodeOptions;
import org.sluice.cli.options.RendezvousOptions;
import org.sluice.cli.watch.Watch;
import org.sluice.rendezvous.Group;
import org.sluice.rendezvous.GroupConfig;
import org.sluice.rendezvous.Launch;
import org.sluice.rendezvous.MeetingPlace;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sluice matrix}: one process per node, started by any launcher; rank 0 prints what all have measured. */
@Command(
        name = "matrix",
        header = "Measures every pair of nodes; names the slow node, NIC or path.",
        customSynopsis = "sluice matrix [OPTIONS]      the same on every node, by srun, mpirun, ...",
        footer = {"Example: sluice matrix --local 4", "         srun sluice matrix --html matrix.html"},
        defaultValueProvider = Environment.class,
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class MatrixCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private RendezvousOptions rendezvous = new RendezvousOptions();

    @Option(names = "--local", paramLabel = "<n>", description = "n nodes on this machine, to try it")
    private @Nullable Integer local;

    @Option(
            names = "--time",
            paramLabel = "<time>",
            converter = Values.Time.class,
            description = "measure each direction for so long (1s)")
    private Duration time = Duration.ofSeconds(1);

    @Option(
            names = "--size",
            hidden = true,
            paramLabel = "<bytes>",
            converter = Values.Size.class,
            description = "memory that is read and compared, for each GPU (32MiB)")
    private long size = 32 << 20;

    @Option(names = "--all", description = "in the end load all pairs at once")
    private boolean all;

    @Option(
            names = "--expect",
            paramLabel = "<rate>",
            converter = Rate.class,
            description = "fail when a direction is slower: 40GB/s")
    private @Nullable Double expected;

    @Option(names = "--html", paramLabel = "<file>", description = "draw a heat map, as one HTML file")
    private @Nullable Path html;

    @Option(names = "--csv", hidden = true, paramLabel = "<file>", description = "write every figure as CSV")
    private @Nullable Path csv;

    @Option(names = "--json", description = "print the result as one JSON document")
    private boolean json;

    @Mixin
    private NodeOptions options = new NodeOptions();

    @Override
    public Integer call() {
        if (local != null && local < 2) {
            throw new ParameterException(spec.commandLine(), "--local needs at least 2 nodes");
        }
        boolean startsOthers = local != null && !rendezvous.rankIsGiven();
        Launch launch = startsOthers ? LocalRanks.rank0(local) : rendezvous.launch(System.getenv());
        if (launch.world() < 2) {
            throw new ConfigException("a matrix needs 2 nodes at least, this world has " + launch.world());
        }
        if (local == null) {
            say(launch.source());
        }
        NodeConfig.Builder builder = options.builder().duplex(true).note(Inbox.note(launch.rank()));
        if (local != null && options.nics().isEmpty() && options.transport().equals("tcp")) {
            builder.nics(LoopbackRails.NICS);
        }
        try (Node node = open(builder)) {
            NodeConfig config = node.config();
            GroupConfig group = new GroupConfig(
                    launch,
                    config.protection().secret(),
                    config.protection().tls(),
                    config.timeouts().clientWait(),
                    GroupConfig.USUAL_SILENCE);
            int port = node.listen(new InetSocketAddress(options.givenPort())).getPort();
            return launch.rank() == 0 ? lead(node, group, port, startsOthers) : follow(node, group, port);
        }
    }

    /** Host GPUs are all alike: one is enough where nobody says how many. */
    private static Node open(NodeConfig.Builder builder) {
        Node node = Node.open(builder.build());
        if (node.config().devices().gpus().isPresent() || !node.backend().equals("host") || node.gpus() == 1) {
            return node;
        }
        node.close();
        return Node.open(builder.gpus(1).build());
    }

    private int lead(Node node, GroupConfig config, int port, boolean startsOthers) {
        Plan plan = new Plan(time, size, node.gpus(), all);
        if (node.backend().equals("host")) {
            long regions = 2L * node.gpus() * (local == null ? 1 : local);
            HostMemoryCheck.needs(regions * size, regions + " regions of " + Bytes.text(size));
        }
        Referee referee = new Referee(plan, local == null, expected, this::progress);
        try (MeetingPlace place = MeetingPlace.open(config, referee);
                LocalRanks others = startsOthers
                        ? LocalRanks.start(spec.commandLine().getParseResult().originalArgs(), config.launch())
                        : LocalRanks.NONE;
                RollCall call = RollCall.start(place, this::say)) {
            Order end = play(node, config, port, call);
            MatrixReport report = referee.report();
            if (html != null) {
                write(html, MatrixPage.of(report));
            }
            if (csv != null) {
                write(csv, MatrixCsv.of(report));
            }
            PrintWriter out = spec.commandLine().getOut();
            out.print(json ? Json.of(report) : MatrixText.of(report));
            out.flush();
            others.await();
            return end.status();
        }
    }

    private int follow(Node node, GroupConfig config, int port) {
        Order end = play(node, config, port, RollCall.NONE);
        if (end.status() != 0 && local == null) {
            say("rank 0 says: " + end.text());
        }
        return end.status();
    }

    private Order play(Node node, GroupConfig config, int port, RollCall call) {
        String name = nodeName(config.launch().rank());
        try (Group group = Group.join(config, name, rendezvous.address(), port)) {
            call.close();
            try {
                return new Player(node, group)
                        .play(new MatrixReport.Member(
                                config.launch().rank(),
                                name,
                                node.backend(),
                                node.gpuName(0),
                                node.gpus(),
                                node.nics().stream().map(NicInfo::name).toList()));
            } catch (RuntimeException | Error e) {
                group.giveUp(Failure.oneLine(String.valueOf(e.getMessage())));
                throw e;
            }
        }
    }

    private String nodeName(int rank) {
        if (!rendezvous.name().isEmpty()) {
            return rendezvous.name();
        }
        if (local != null) {
            return "local-" + rank;
        }
        return Optional.ofNullable(System.getenv("HOSTNAME"))
                .filter(h -> !h.isBlank())
                .orElseGet(() -> {
                    try {
                        return InetAddress.getLocalHost().getHostName();
                    } catch (UnknownHostException e) {
                        return "node-" + rank;
                    }
                });
    }

    private void progress(String what) {
        if (Watch.canShowProgress()) {
            say(what);
        }
    }

    private void say(String line) {
        PrintWriter err = spec.commandLine().getErr();
        err.println("sluice: " + line);
        err.flush();
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new ConfigException("cannot write " + file + ": " + e, e);
        }
    }
}
