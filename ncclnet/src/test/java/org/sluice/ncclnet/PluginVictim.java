package org.sluice.ncclnet;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Transfer;

/** A process that moves bytes over a plugin with a fault: for faults that end a process, or stop it. */
final class PluginVictim {
    private PluginVictim() {}

    /** @param args the plugin, the fault, the bootstrap port */
    public static void main(String[] args) {
        NodeConfig config = NodeConfig.builder()
                .backend("host")
                .transport("nccl-net")
                .transportOptions(Map.of(
                        "plugin", args[0],
                        "plugin-api", "7",
                        "plugin-call-millis", "500",
                        "env.FAKE_NET_MODE", "tcpx",
                        "env.FAKE_NET_FAULTS", args[1]))
                .gpus(1)
                .channels(4)
                .portBase(Integer.parseInt(args[2]))
                .duplex(false)
                .build();
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            List<Link> links = PluginLinkTest.links(server, client);
            Region from = client.allocate(0, 32 << 20);
            Region to = server.allocate(0, 32 << 20);
            Transfer in = links.get(1).receive(to, 0, from.size());
            links.get(0).send(from, 0, from.size()).await(Duration.ofSeconds(30));
            in.await(Duration.ofSeconds(30));
        }
        System.out.println("done");
    }
}
