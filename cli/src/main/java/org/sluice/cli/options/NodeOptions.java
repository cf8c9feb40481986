package org.sluice.cli.options;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.BootstrapFormat;
import org.sluice.ConfigException;
import org.sluice.NodeConfig;
import org.sluice.Striping;
import org.sluice.UnpackMode;
import org.sluice.cli.common.FreePorts;
import org.sluice.cli.common.NicNames;
import org.sluice.cli.common.Secret;
import org.sluice.cli.common.Values;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options that say what a node is. Null is "not given": the node's own default. Which values fit is checked where they are
 * used, by {@link NodeConfig}. Hidden are those that {@code --help} leaves to {@code sluice help COMMAND}.
 */
public final class NodeOptions {
    /** Ports to look for where no number of GPUs is given: as many as a node of the field has. */
    private static final int USUAL_GPUS = 8;

    /** The transport that runs NCCL net plugins. */
    private static final String PLUGINS = "nccl-net";

    @Option(names = "--gpus", paramLabel = "<n>", description = "GPUs to use (all; host GPUs: 8)")
    private @Nullable Integer gpus;

    @Option(names = "--channels", paramLabel = "<n>", description = "channels per GPU, 1-64 (8)")
    private @Nullable Integer channels;

    @Option(
            names = "--chunk",
            hidden = true,
            paramLabel = "<bytes>",
            converter = Values.Size.class,
            description = "unit of striping (512KiB; staged GPUs: 1MiB)")
    private @Nullable Long chunk;

    @Option(
            names = "--nics",
            paramLabel = "<a,b>",
            split = ",",
            hideParamSyntax = true,
            description = "NICs to use, in this order (all)")
    private @Nullable List<String> nics;

    @Option(
            names = "--striping",
            hidden = true,
            paramLabel = "<rule>",
            converter = Values.StripingRule.class,
            description = "adaptive or round-robin (adaptive)")
    private @Nullable Striping striping;

    @Option(
            names = "--window",
            hidden = true,
            paramLabel = "<n>",
            description = "most chunks in flight per channel (64)")
    private @Nullable Integer window;

    @Option(
            names = "--sockets",
            hidden = true,
            paramLabel = "<n>",
            description = "TCP connections per channel, 1-16 (1; staged GPUs: 2)")
    private @Nullable Integer sockets;

    @Option(
            names = "--staging",
            hidden = true,
            paramLabel = "<bytes>",
            converter = Values.Size.class,
            description = "staged GPUs: most pinned memory of a GPU and direction, for all links (128MiB)")
    private @Nullable Long staging;

    @Option(names = "--port", paramLabel = "<base>", description = "bootstrap port of GPU 0 (20000)")
    private @Nullable Integer port;

    @Option(
            names = "--data-ports",
            hidden = true,
            paramLabel = "<a-b>",
            description = "tcp: ports that data connections come to, for firewalls (any)")
    private @Nullable String dataPorts;

    @Option(
            names = "--deadline",
            hidden = true,
            paramLabel = "<time>",
            converter = Values.Time.class,
            description = "for each phase of making links (30s)")
    private @Nullable Duration deadline;

    @Option(
            names = "--wait",
            hidden = true,
            paramLabel = "<time>",
            converter = Values.Time.class,
            description = "how long a server waits for its client (10m)")
    private @Nullable Duration wait;

    @Option(
            names = "--spin",
            hidden = true,
            paramLabel = "<time>",
            converter = Values.Time.class,
            description = "agents look for work so long before they rest (20us; few CPUs: 0)")
    private @Nullable Duration spin;

    @Option(
            names = "--transport",
            paramLabel = "<name>",
            description = "tcp, nccl-net, ipc, auto (tcp, or as --plugin)")
    private @Nullable String transport;

    @Option(
            names = "--transport-option",
            hidden = true,
            paramLabel = "<name=value>",
            description = "a setting that only the transport knows (tcp: checksum=on)")
    private Map<String, String> transportOptions = new HashMap<>();

    @Option(names = "--plugin", paramLabel = "<path>", description = "nccl-net: the plugin's library")
    private @Nullable String plugin;

    @Option(
            names = "--profile",
            hidden = true,
            paramLabel = "<name>",
            description = "nccl-net: a3-high or a3-mega sets what its plugin needs")
    private @Nullable String profile;

    @Option(
            names = "--bootstrap",
            hidden = true,
            paramLabel = "<format>",
            converter = Values.Format.class,
            description = "sluice or uccl (sluice)")
    private @Nullable BootstrapFormat bootstrap;

    @Option(names = "--secret-file", paramLabel = "<path>", description = "file with the shared secret (SLUICE_SECRET)")
    private @Nullable Path secretFile;

    @Option(
            names = "--tls",
            hidden = true,
            paramLabel = "<file>",
            description = "TLS for control connections: a PEM file with key, certificate and authority")
    private @Nullable Path tls;

    @Option(names = "--backend", hidden = true, paramLabel = "<name>", description = "cuda, host or auto (auto)")
    private @Nullable String backend;

    @Option(
            names = "--unpack",
            hidden = true,
            paramLabel = "<how>",
            converter = Values.Unpack.class,
            description = "scattered chunks: kernel, copies or host (kernel)")
    private @Nullable UnpackMode unpack;

    @Mixin
    private AffinityOptions affinity = new AffinityOptions();

    /** What the node is to be told but for what is run; what fits is checked when it is built. @throws ConfigException when the secret cannot be read */
    public NodeConfig.Builder builder() {
        refuseZero();
        NodeConfig.Builder node = NodeConfig.builder().nics(nics()).secret(Secret.read(secretFile));
        given(tls, node::tls);
        given(gpus, node::gpus);
        given(channels, node::channels);
        given(chunk, node::chunkBytes);
        given(striping, node::striping);
        given(window, node::window);
        given(sockets, node::socketsPerChannel);
        given(staging, node::stagingBytes);
        given(port, node::portBase);
        given(deadline, node::deadline);
        given(spin, node::spin);
        given(wait, node::clientWait);
        node.transport(transport());
        given(bootstrap, node::bootstrap);
        given(backend, node::backend);
        given(unpack, node::unpack);
        Map<String, String> options = new HashMap<>(transportOptions);
        given(plugin, path -> options.put("plugin", path));
        given(profile, name -> options.put("profile", name));
        given(dataPorts, range -> options.put("data-ports", range));
        if (usesPlugin() && nics != null && !NicNames.of(nics).plain()) {
            options.putIfAbsent(
                    "env.NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", String.join(",", nics)); // plugins read it themselves
        }
        affinity.applyTo(node, network(), options);
        return node.transportOptions(options);
    }

    private static <T> void given(@Nullable T value, Consumer<T> to) {
        if (value != null) {
            to.accept(value);
        }
    }

    /** Zero means "not given" further down, and nobody who writes it means that. */
    private void refuseZero() {
        refuseZero("chunk bytes", chunk, "4096 to 1073741824");
        refuseZero("window", window, "1 to 1024");
        refuseZero("sockets per channel", sockets, "1 to 16");
    }

    private static void refuseZero(String what, @Nullable Number value, String range) {
        if (value != null && value.longValue() == 0) {
            throw new ConfigException(what + ": 0 is not in " + range);
        }
    }

    /** Empty where none is named, and where a plugin chooses by NCCL's signs. */
    public List<String> nics() {
        if (nics == null) {
            return List.of();
        }
        NicNames names = NicNames.of(nics);
        return usesPlugin() ? (names.plain() ? names.words() : List.of()) : names.here();
    }

    /** As was said; else a plugin's path says it. */
    public String transport() {
        return transport != null ? transport : plugin != null ? PLUGINS : "tcp";
    }

    /** The one for peers on other hosts. */
    public String network() {
        return networkOf(transport());
    }

    /** What a choice of transports has for peers on other hosts: what is named last, and {@code tcp} where nothing for them is. */
    public static String networkOf(String transport) {
        String last = transport.substring(transport.lastIndexOf(',') + 1);
        return last.equals("ipc") || last.equals("auto") ? "tcp" : last;
    }

    public BootstrapFormat bootstrap() {
        return bootstrap == null ? BootstrapFormat.SLUICE : bootstrap;
    }

    private boolean usesPlugin() {
        return network().equals(PLUGINS);
    }

    /** The port that was said; 0 where none was. */
    public int givenPort() {
        return port == null ? 0 : port;
    }

    /** Where the bootstrap ports begin, as was said, or else somewhere on this host with enough free ones in a row. */
    public int portOrFree() {
        return port != null ? port : FreePorts.inARow(gpus == null ? USUAL_GPUS : gpus);
    }
}
