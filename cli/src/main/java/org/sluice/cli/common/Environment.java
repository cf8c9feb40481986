package org.sluice.cli.common;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** The environment variables that stand in for options that are not given; the names are the field's. README.md has the same table. */
public final class Environment implements IDefaultValueProvider {
    /** By option. */
    public static final Map<String, String> VARIABLES = Map.ofEntries(
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

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
        return variable(argument)
                .map(System.getenv()::get)
                .filter(v -> !v.isBlank())
                .orElse(null);
    }

    /** The variable that stands in for an option, if one does. */
    public static Optional<String> variable(@Nullable ArgSpec argument) {
        return argument instanceof OptionSpec option
                ? Optional.ofNullable(VARIABLES.get(option.longestName()))
                : Optional.empty();
    }

    /** The variable that a refused value came from, if it came from one. */
    public static Optional<String> sourceOf(ParameterException refusal, String[] arguments) {
        return variable(refusal.getArgSpec())
                .filter(v -> System.getenv(v) != null)
                .filter(v -> refusal.getArgSpec() instanceof OptionSpec o
                        && Arrays.stream(arguments).noneMatch(a -> a.startsWith(o.longestName())));
    }
}
