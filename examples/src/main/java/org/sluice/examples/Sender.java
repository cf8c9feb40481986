package org.sluice.examples;

import java.time.Duration;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;

/** Sends 256 MiB of GPU 0 to a {@link Receiver} over every NIC. Arguments: the receiver's host, its port. */
public final class Sender {
    private static final long BYTES = 256 << 20;

    private Sender() {}

    public static void main(String[] arguments) {
        NodeConfig config = NodeConfig.builder()
                .gpus(1)
                .portBase(Integer.parseInt(arguments[1]))
                .build();
        try (Node node = Node.open(config);
                Link link = node.connect(0, arguments[0])) {
            Region region = node.allocate(0, BYTES);
            region.fill(0, BYTES, 42); // or region.write, or whatever computes on the GPU
            link.send(region, 0, BYTES).await(Duration.ofMinutes(1));
            System.out.println("sent " + BYTES + " bytes to " + link.peer());
            link.awaitNote(Duration.ofMinutes(1)); // the receiver has had its look
        }
    }
}
