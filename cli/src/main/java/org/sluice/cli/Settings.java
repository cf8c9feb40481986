package org.sluice.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sluice.BootstrapFormat;
import org.sluice.ConfigException;
import org.sluice.NodeConfig;
import org.sluice.Striping;
import org.sluice.spi.UnpackMode;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/**
 * Every setting of a node and of a run: flags over environment over defaults. Null is "not given", so that the server knows
 * what it was told. Which values fit is checked where they are used, by {@link NodeConfig} and {@link RunPlan}.
 */
final class Settings {
    /** Environment variables, by the option they stand in for; the names are the field's. README.md has the same table. */
    static final Map<String, String> ENVIRONMENT = Map.ofEntries(
            Map.entry("--channels", "UCCL_TCPX_NUM_CHANNELS"),
            Map.entry("--size", "UCCL_TCPX_PERF_SIZE"),
            Map.entry("--iters", "UCCL_TCPX_PERF_ITERS"),
            Map.entry("--chunk", "UCCL_TCPX_CHUNK_BYTES"),
            Map.entry("--port", "UCCL_TCPX_BOOTSTRAP_PORT_BASE"),
            Map.entry("--plugin", "UCCL_TCPX_PLUGIN_PATH"),
            Map.entry("--unpack", "UCCL_TCPX_UNPACK_IMPL"),
            Map.entry("--nics", "NCCL_GPUDIRECTTCPX_SOCKET_IFNAME"),
            Map.entry("--sockets", "NCCL_NSOCKS_PERTHREAD"),
            Map.entry("--tx-bindings", "NCCL_GPUDIRECTTCPX_TX_BINDINGS"),
            Map.entry("--rx-bindings", "NCCL_GPUDIRECTTCPX_RX_BINDINGS"));

    /** The shared secret itself; never a flag, since flags show in the process list. */
    static final String SECRET_VARIABLE = "SLUICE_SECRET";

    @Option(names = "--gpus", paramLabel = "<n>", description = "GPUs to use (all; host GPUs: 8)")
    private @Nullable Integer gpus;

    @Option(names = "--channels", paramLabel = "<n>", description = "channels per GPU, 1-64 (8)")
    private @Nullable Integer channels;

    @Option(
            names = "--size",
            paramLabel = "<bytes>",
            converter = Values.Size.class,
            description = "per GPU and iteration: 512KiB, 1GiB (64MiB)")
    private @Nullable Long size;

    @Option(names = "--iters", paramLabel = "<n>", description = "iterations (20)")
    private @Nullable Long iters;

    @Option(
            names = "--duration",
            paramLabel = "<time>",
            converter = Values.Time.class,
            description = "run for 500ms, 3s, 2m instead of --iters")
    private @Nullable Duration duration;

    @Option(
            names = "--chunk",
            paramLabel = "<bytes>",
            converter = Values.Size.class,
            description = "unit of striping (512KiB; staged GPUs: 1MiB)")
    private @Nullable Long chunk;

    @Option(names = "--nics", paramLabel = "<a,b>", split = ",", description = "NICs to use, in this order (all)")
    private @Nullable List<String> nics;

    @Option(
            names = "--striping",
            paramLabel = "<rule>",
            converter = Values.StripingRule.class,
            description = "adaptive or round-robin (adaptive)")
    private @Nullable Striping striping;

    @Option(names = "--window", paramLabel = "<n>", description = "most chunks in flight per channel (16)")
    private @Nullable Integer window;

    @Option(
            names = "--sockets",
            paramLabel = "<n>",
            description = "TCP connections per channel, 1-16 (1; staged GPUs: 2)")
    private @Nullable Integer sockets;

    @Option(names = "--port", paramLabel = "<base>", description = "bootstrap port of GPU 0 (20000)")
    private @Nullable Integer port;

    @Option(
            names = "--deadline",
            paramLabel = "<time>",
            converter = Values.Time.class,
            description = "for each phase of making links (30s)")
    private @Nullable Duration deadline;

    @Option(
            names = "--wait",
            paramLabel = "<time>",
            converter = Values.Time.class,
            description = "how long a server waits for a client (10m)")
    private @Nullable Duration wait;

    @Option(names = "--verify", negatable = true, description = "compare every byte (loopback: on; else off)")
    private @Nullable Boolean verify;

    @Option(names = "--bidirectional", description = "the server's GPUs send as well")
    private boolean bidirectional;

    @Option(names = "--transport", paramLabel = "<name>", description = "tcp or nccl-net (tcp)")
    private @Nullable String transport;

    @Option(
            names = "--transport-option",
            hidden = true,
            paramLabel = "<name=value>",
            description = "a setting that only the transport knows (tcp: checksum=on)")
    private Map<String, String> transportOptions = new HashMap<>();

    @Option(names = "--plugin", paramLabel = "<path>", description = "nccl-net: the plugin's library")
    private @Nullable String plugin;

    @Option(names = "--profile", paramLabel = "<name>", description = "nccl-net: a3-high sets what TCPX needs")
    private @Nullable String profile;

    @Option(
            names = "--bootstrap",
            paramLabel = "<format>",
            converter = Values.Format.class,
            description = "sluice or uccl (sluice)")
    private @Nullable BootstrapFormat bootstrap;

    @Option(names = "--secret-file", paramLabel = "<path>", description = "file with the shared secret (SLUICE_SECRET)")
    private @Nullable Path secretFile;

    @Option(names = "--backend", paramLabel = "<name>", description = "cuda, host or auto (auto)")
    private @Nullable String backend;

    @Option(
            names = "--unpack",
            paramLabel = "<how>",
            converter = Values.Unpack.class,
            description = "scattered chunks: kernel, copies or host (kernel)")
    private @Nullable UnpackMode unpack;

    @Mixin
    private AffinityOptions affinity = new AffinityOptions();

    @Option(
            names = "--steps",
            hidden = true,
            paramLabel = "<where>",
            converter = Values.StepsTarget.class,
            description = "print steps on stderr, stdout or none (stderr)")
    private @Nullable Steps steps;

    @Option(names = "--json", description = "print the result as one JSON document")
    private boolean json;

    boolean json() {
        return json;
    }

    /** With {@code --json} the document is alone on stdout. */
    Steps steps(Steps byDefault) {
        Steps wanted = steps == null ? byDefault : steps;
        return json && wanted == Steps.STDOUT ? Steps.STDERR : wanted;
    }

    int channels() {
        return channels == null ? 8 : channels;
    }

    List<String> nics() {
        return nics == null ? List.of() : nics;
    }

    String transport() {
        return transport == null ? "tcp" : transport;
    }

    /** Where the bootstrap ports begin, if that was said. */
    Optional<Integer> port() {
        return Optional.ofNullable(port);
    }

    Optional<Integer> gpus() {
        return Optional.ofNullable(gpus);
    }

    /** What this side wants run. */
    RunPlan plan(boolean verifyByDefault) {
        return new RunPlan(
                size == null ? RunPlan.DEFAULT_SIZE : size,
                iters != null ? iters : duration != null ? 0 : RunPlan.DEFAULT_ITERS,
                duration == null ? Duration.ZERO : duration,
                verify == null ? verifyByDefault : verify,
                bidirectional);
    }

    /** The size this side was told to use, in so many words. */
    Optional<Long> givenSize() {
        return Optional.ofNullable(size);
    }

    /** The node of this side; what fits is checked when it is built. @throws ConfigException when the secret cannot be read */
    NodeConfig.Builder node(RunPlan plan) {
        NodeConfig.Builder b = NodeConfig.builder()
                .channels(channels())
                .duplex(plan.bidirectional())
                .note(plan.note())
                .secret(secret(secretFile));
        if (gpus != null) {
            b.gpus(gpus);
        }
        if (chunk != null) {
            b.chunkBytes(chunk);
        }
        if (nics != null) {
            b.nics(nics.stream().map(String::strip).filter(n -> !n.isEmpty()).toList());
        }
        if (striping != null) {
            b.striping(striping);
        }
        if (window != null) {
            b.window(window);
        }
        if (sockets != null) {
            b.socketsPerChannel(sockets);
        }
        if (port != null) {
            b.portBase(port);
        }
        if (deadline != null) {
            b.deadline(deadline);
        }
        if (wait != null) {
            b.clientWait(wait);
        }
        if (transport != null) {
            b.transport(transport);
        }
        if (bootstrap != null) {
            b.bootstrap(bootstrap);
        }
        if (backend != null) {
            b.backend(backend);
        }
        if (unpack != null) {
            b.unpack(unpack);
        }
        Map<String, String> options = new HashMap<>(transportOptions);
        if (plugin != null) {
            options.put("plugin", plugin);
        }
        if (profile != null) {
            options.put("profile", profile);
        }
        affinity.applyTo(b, transport == null ? "tcp" : transport, options);
        return b.transportOptions(options);
    }

    /** The secret of the environment, or of a file. */
    static byte[] secret(@Nullable Path file) {
        String text = System.getenv(SECRET_VARIABLE);
        if (file != null) {
            try {
                text = Files.readString(file);
            } catch (IOException e) {
                throw new ConfigException("the secret file " + file + " cannot be read: " + e, e);
            }
        }
        // editors and echo end a file with a line break that nobody means
        return text == null ? new byte[0] : text.strip().getBytes(StandardCharsets.UTF_8);
    }

    /** Gives picocli the environment's value of an option that is not on the command line. */
    static final class FromEnvironment implements IDefaultValueProvider {
        @Override
        public @Nullable String defaultValue(ArgSpec argument) {
            return variable(argument)
                    .map(System.getenv()::get)
                    .filter(v -> !v.isBlank())
                    .orElse(null);
        }
    }

    /** The environment variable that a refused value came from, if it came from one. */
    static Optional<String> environmentOf(ParameterException e, String[] arguments) {
        return variable(e.getArgSpec())
                .filter(v -> System.getenv(v) != null)
                .filter(v -> e.getArgSpec() instanceof OptionSpec o
                        && Arrays.stream(arguments).noneMatch(a -> a.startsWith(o.longestName())));
    }

    private static Optional<String> variable(@Nullable ArgSpec argument) {
        return argument instanceof OptionSpec option
                ? Optional.ofNullable(ENVIRONMENT.get(option.longestName()))
                : Optional.empty();
    }
}
