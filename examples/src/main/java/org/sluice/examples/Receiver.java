package org.sluice.examples;

import java.time.Duration;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;

/** Receives 256 MiB into GPU 0 from a {@link Sender} and checks them. Argument: the port to listen on. */
public final class Receiver {
    private static final long BYTES = 256 << 20;

    private Receiver() {}

    public static void main(String[] arguments) {
        NodeConfig config = NodeConfig.builder()
                .gpus(1)
                .portBase(Integer.parseInt(arguments[0]))
                .build();
        try (Node node = Node.open(config);
                Link link = node.accept(0)) {
            Region region = node.allocate(0, BYTES);
            link.receive(region, 0, BYTES).await(Duration.ofMinutes(1));
            long wrong = region.mismatch(0, BYTES, 42);
            System.out.println("received " + BYTES + " bytes from " + link.peer()
                    + (wrong < 0 ? ", all as they were sent" : ", wrong from byte " + wrong));
            link.note(new byte[0]); // done: the sender may close
        }
    }
}
