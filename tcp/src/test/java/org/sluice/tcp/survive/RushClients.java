package org.sluice.tcp.survive;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.Region;
import org.sluice.SluiceException;

/** The clients of a {@link ClientRush} that come from one address: nodes of this JVM. All begin when they are told to, and stay linked. */
final class RushClients {
    private static final int MOST_TOLD = 3;

    private final String hub;
    private final Duration deadline;
    private final List<Node> nodes = new ArrayList<>();
    private final AtomicInteger failed = new AtomicInteger();

    private RushClients(String hub, Duration deadline) {
        this.hub = hub;
        this.deadline = deadline;
    }

    /** @param args where to, number of the first client, clients here, deadline in seconds */
    public static void main(String[] args) throws Exception {
        RushClients all = new RushClients(args[0], Duration.ofSeconds(Integer.parseInt(args[3])));
        all.run(Integer.parseInt(args[1]), Integer.parseInt(args[2]));
    }

    private void run(int first, int count) throws IOException, InterruptedException {
        for (int i = 0; i < count; i++) {
            nodes.add(Node.open(ClientRush.config(1, first + i, deadline)));
        }
        System.out.println("OPEN");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String go = in.readLine();
        if (go == null) {
            return;
        }
        long begin = System.nanoTime();
        long[] millis = new long[count];
        Link[] links = new Link[count];
        CountDownLatch done = new CountDownLatch(count);
        for (int i = 0; i < count; i++) {
            int n = i;
            Thread.ofPlatform().daemon().name("client").start(() -> {
                try {
                    links[n] = nodes.get(n).peer(hub).link(0, (first + n) % ClientRush.GPUS);
                } catch (SluiceException e) {
                    if (failed.incrementAndGet() <= MOST_TOLD) {
                        System.out.println("FAILED " + e.getMessage());
                    }
                } finally {
                    millis[n] = (System.nanoTime() - begin) / 1_000_000;
                    done.countDown();
                }
            });
        }
        done.await();
        Arrays.sort(millis);
        System.out.println("LINKED " + (count - failed.get()) + " connections " + SourceAddress.opened() + " of "
                + count + " clients, median " + millis[count / 2] + " ms, slowest " + millis[count - 1] + " ms");
        for (int i = 0; i < count; i++) {
            if (links[i] != null) {
                send(nodes.get(i), links[i], first + i);
            }
        }
        in.readLine(); // until this process is ended
    }

    private static void send(Node node, Link link, int client) {
        try (Region region = node.allocate(0, ClientRush.BYTES)) {
            region.fill(0, ClientRush.BYTES, client);
            link.send(region, 0, ClientRush.BYTES).await(Duration.ofMinutes(4));
        } catch (SluiceException e) {
            System.out.println("FAILED after it was linked: " + e.getMessage());
        }
    }
}
