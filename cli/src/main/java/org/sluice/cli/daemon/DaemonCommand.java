package org.sluice.cli.daemon;

import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.sluice.ConfigException;
import org.sluice.cli.common.Environment;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.Values;
import org.sluice.cli.common.Version;
import org.sluice.cli.options.DemandOptions;
import org.sluice.cli.options.NodeOptions;
import org.sluice.cli.watch.MetricsAddress;
import org.sluice.daemon.Daemon;
import org.sluice.daemon.DaemonConfig;
import org.sluice.daemon.Quotas;
import org.sluice.linux.LinuxException;
import org.sluice.linux.ServiceManager;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sluice daemon}: serves other local processes until it is stopped. */
@Command(
        name = "daemon",
        header = "Serves other processes of this host: C, Python, Java 17.",
        customSynopsis = "sluice daemon [status] [OPTIONS]",
        footer = "Example: sluice daemon --listen 10.0.0.7:20100 --secret-file secret",
        subcommands = StatusCommand.class,
        defaultValueProvider = Environment.class,
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class DaemonCommand implements Callable<Integer> {
    private static final String LOOPBACK = "127.0.0.1:20100";

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--socket", paramLabel = "<path>", description = "where clients find it (SLUICE_SOCKET)")
    private @Nullable Path socket;

    @Option(names = "--mode", paramLabel = "<octal>", description = "permissions of the socket (0660)")
    private String mode = "0660";

    @Option(names = "--group", paramLabel = "<name>", description = "group of the socket")
    private @Nullable String group;

    @Option(
            names = "--listen",
            paramLabel = "<host:port>",
            description = "for other daemons, or none (" + LOOPBACK + ")")
    private String listen = LOOPBACK;

    @Option(names = "--unprotected", description = "listen beyond this host without a secret or TLS")
    private boolean unprotected;

    @Option(
            names = "--client-memory",
            hidden = true,
            paramLabel = "<bytes>",
            converter = Values.Size.class,
            description = "most memory of one client (half of the host's)")
    private @Nullable Long clientMemory;

    @Option(names = "--clients", hidden = true, paramLabel = "<n>", description = "most clients at a time (64)")
    private @Nullable Integer clients;

    @Option(names = "--metrics", paramLabel = "<[host:]port>", description = "Prometheus metrics, a row per client")
    private @Nullable String metrics;

    @Mixin
    private NodeOptions node = new NodeOptions();

    @Mixin
    private DemandOptions demands = new DemandOptions();

    private Optional<DaemonMetrics> metricsServer = Optional.empty();

    @Override
    public Integer call() {
        Map<String, String> environment = System.getenv();
        DaemonConfig config = new DaemonConfig(
                node.builder().requirements(demands.requirements()).build(),
                socket == null ? SocketPath.usual(environment) : socket,
                ServiceManager.listeningSocket(environment),
                mode(),
                Optional.ofNullable(group),
                address(),
                unprotected,
                quotas(),
                Duration.ofMinutes(5));
        Optional<InetSocketAddress> metricsAddress =
                Optional.ofNullable(metrics).map(m -> MetricsAddress.of(m).socket());
        Daemon daemon = Daemon.open(config);
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            daemon.close();
            stopped.countDown();
        }));
        try {
            metricsServer = metricsAddress.map(a -> new DaemonMetrics(a, daemon));
            say(daemon);
            tell(environment, "READY=1");
            stopped.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            metricsServer.ifPresent(DaemonMetrics::close);
            daemon.close();
        }
        return ExitCode.OK;
    }

    private void say(Daemon daemon) {
        PrintWriter err = spec.commandLine().getErr();
        err.println("sluice: a daemon is at " + daemon.socket() + " with "
                + daemon.node().gpus() + " GPUs ("
                + daemon.node().backend() + "); "
                + daemon.listens()
                        .map(a -> "other daemons reach it at " + a.getHostString() + ":" + a.getPort())
                        .orElse("other daemons do not reach it"));
        err.flush();
    }

    private static void tell(Map<String, String> environment, String what) {
        try {
            ServiceManager.tell(environment, what);
        } catch (LinuxException e) {
            throw new ConfigException("the service manager cannot be told: " + e.getMessage(), e);
        }
    }

    private int mode() {
        try {
            int m = Integer.parseInt(mode, 8);
            if ((m & ~0777) == 0) {
                return m;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new ConfigException("--mode " + mode + ": write octal permissions such as 0660");
    }

    private Optional<InetSocketAddress> address() {
        if (listen.equals("none")) {
            return Optional.empty();
        }
        int colon = listen.lastIndexOf(':');
        try {
            String host = colon < 0 ? "" : listen.substring(0, colon).replaceAll("^\\[|]$", "");
            InetSocketAddress a = new InetSocketAddress(host, Integer.parseInt(listen.substring(colon + 1)));
            if (!host.isEmpty() && !a.isUnresolved()) {
                return Optional.of(a);
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw new ConfigException("--listen " + listen + ": write HOST:PORT, or none");
    }

    private Quotas quotas() {
        Quotas usual = Quotas.ofThisHost();
        return new Quotas(
                clientMemory == null ? usual.memoryBytes() : clientMemory,
                usual.memories(),
                usual.links(),
                usual.pieces(),
                usual.prepared(),
                usual.noteBytes(),
                clients == null ? usual.clients() : clients,
                usual.descriptors());
    }
}
