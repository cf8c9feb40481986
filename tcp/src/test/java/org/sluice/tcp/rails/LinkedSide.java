package org.sluice.tcp.rails;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.SluiceException;

/**
 * One side of a link as a process of its own, so that it can be put into a network namespace: {@code server} or {@code client
 * <host>}, then options {@code name=value}. Makes a link, moves a message that is compared, and says what came of it, a line each:
 *
 * <pre>
 * BOUND                   the node is open, a server's port too
 * READY millis            the link is made, counted from the call that made it
 * RAIL nic peer-nic       each pair that a channel uses and that carried something
 * LEFT nic reason
 * RIGHT                   the bytes were right
 * FAILED message
 * </pre>
 */
public final class LinkedSide {
    private static final long BYTES = 8 << 20;
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private LinkedSide() {}

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    public static void main(String[] args) {
        boolean server = args[0].equals("server");
        NodeConfig.Builder config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .portBase(20000)
                .channels(16)
                .chunkBytes(64 << 10);
        for (String option : Arrays.asList(args).subList(server ? 1 : 2, args.length)) {
            String[] pair = option.split("=", 2);
            switch (pair[0]) {
                case "nics" -> config.nics(List.of(pair[1].split(",", -1)));
                case "channels" -> config.channels(Integer.parseInt(pair[1]));
                case "deadline" -> config.deadline(Duration.ofMillis(Long.parseLong(pair[1])));
                case "ports" -> config.transportOptions(java.util.Map.of("data-ports", pair[1]));
                default -> throw new IllegalArgumentException(option);
            }
        }
        try (Node node = Node.open(config.build())) {
            if (server) {
                node.bind();
            }
            say("BOUND");
            long begin = System.nanoTime();
            try (Link link = server ? node.accept(0) : node.connect(0, args[1])) {
                say("READY " + (System.nanoTime() - begin) / 1_000_000);
                try (Region region = node.allocate(0, BYTES)) {
                    if (server) {
                        link.receive(region, 0, BYTES).await(LIMIT);
                        say(region.mismatch(0, BYTES, 7) < 0 ? "RIGHT" : "FAILED wrong bytes");
                        link.note(new byte[0]);
                    } else {
                        region.fill(0, BYTES, 7);
                        link.send(region, 0, BYTES).await(LIMIT);
                    }
                    link.channels().stream()
                            .filter(c -> c.bytes() > 0)
                            .map(c -> "RAIL " + c.nic() + " " + c.peerNic())
                            .distinct()
                            .forEach(LinkedSide::say);
                    node.nicsLeftOut().forEach(l -> say("LEFT " + l));
                    if (server) {
                        link.ended().get(LIMIT.toSeconds(), java.util.concurrent.TimeUnit.SECONDS);
                    } else {
                        byte[] ignored = link.awaitNote(LIMIT);
                        say("RIGHT");
                    }
                }
            }
        } catch (SluiceException e) {
            say("FAILED " + e.getMessage());
        } catch (Exception e) {
            say("FAILED " + e);
        }
    }
}
