package org.sluice.cli.options;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sluice.ConfigException;
import org.sluice.NodeConfig;
import org.sluice.linux.LinuxException;
import org.sluice.linux.ThreadPlacement;
import picocli.CommandLine.Option;

/** Where threads run: agents by a hook of the node, tcp's own by options of that transport, a plugin's by its environment. */
final class AffinityOptions {
    @Option(
            names = "--affinity",
            hidden = true,
            paramLabel = "<rule>",
            description = "auto: threads run near their NIC or GPU; off (auto)")
    private @Nullable String affinity;

    @Option(
            names = "--tx-bindings",
            hidden = true,
            paramLabel = "<cpus>",
            description = "CPUs of sending threads: eth1:8-21,112-125;eth2:...")
    private @Nullable String transmit;

    @Option(
            names = "--rx-bindings",
            hidden = true,
            paramLabel = "<cpus>",
            description = "CPUs of receiving threads, likewise")
    private @Nullable String receive;

    /** @throws ConfigException when a rule or binding is wrong, with the position */
    void applyTo(NodeConfig.Builder node, String transport, Map<String, String> options) {
        String rule = affinity == null ? "auto" : affinity;
        String tx = transmit == null ? "" : transmit;
        String rx = receive == null ? "" : receive;
        ThreadPlacement placement;
        try {
            placement = ThreadPlacement.of(rule, tx, rx);
        } catch (IllegalArgumentException | LinuxException e) {
            throw new ConfigException(String.valueOf(e.getMessage()), e);
        }
        node.agentStart(gpu -> placement.worksFor(gpu.id(), gpu.numaNode()));
        switch (transport) {
            case "tcp" -> options.putAll(Map.of("affinity", rule, "tx-bindings", tx, "rx-bindings", rx));
            case "nccl-net" -> {
                if (!tx.isEmpty()) {
                    options.put("env.NCCL_GPUDIRECTTCPX_TX_BINDINGS", tx);
                }
                if (!rx.isEmpty()) {
                    options.put("env.NCCL_GPUDIRECTTCPX_RX_BINDINGS", rx);
                }
            }
            default -> {
                // another transport places its threads by rules of its own
            }
        }
    }
}
