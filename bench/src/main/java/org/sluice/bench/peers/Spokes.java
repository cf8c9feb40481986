package org.sluice.bench.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.Region;
import org.sluice.SluiceException;

/**
 * Some of the peers, in one JVM. Told on stdin: {@code link FIRST COUNT} makes the links of that many of its nodes, {@code exit}
 * ends. On each link a thread answers: it receives, compares and sends back.
 */
final class Spokes {
    private static final Duration LONG = Duration.ofMinutes(5);

    private final Settings settings;
    private final String hub;
    private final List<Node> nodes = new ArrayList<>();
    private final Set<Link> answered = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean wrong = new AtomicBoolean();

    private Spokes(Settings settings, String hub) {
        this.settings = settings;
        this.hub = hub;
    }

    /** @param args address of the hub, nodes here, then the settings */
    public static void main(String[] args) throws IOException {
        Settings settings = Settings.of(Arrays.asList(args).subList(2, args.length));
        Spokes spokes = new Spokes(settings, args[0]);
        int count = Integer.parseInt(args[1]);
        for (int n = 0; n < count; n++) {
            spokes.nodes.add(Node.open(settings.node()));
        }
        System.out.println("open");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null && !line.equals("exit"); line = in.readLine()) {
            String[] words = line.split(" ", -1);
            spokes.link(Integer.parseInt(words[1]), Integer.parseInt(words[2]));
            System.out.println("linked");
        }
        Runtime.getRuntime().halt(spokes.wrong.get() ? 5 : 0);
    }

    private void link(int first, int count) {
        IntStream.range(first * settings.gpus(), (first + count) * settings.gpus())
                .parallel()
                .forEach(i -> {
                    Node node = nodes.get(i / settings.gpus());
                    int gpu = i % settings.gpus();
                    Link link = node.peer(hub).link(gpu, gpu);
                    if (answered.add(link)) {
                        Thread.ofVirtual().start(() -> answer(node, link));
                    }
                });
    }

    private void answer(Node node, Link link) {
        try (Region region = node.allocate(link.gpu(), Settings.BYTES)) {
            while (true) {
                link.receive(region, 0, Settings.BYTES).await(LONG);
                if (region.mismatch(0, Settings.BYTES, link.gpu()) >= 0) {
                    wrong.set(true);
                    System.err.println("wrong bytes on GPU " + link.gpu());
                }
                link.send(region, 0, Settings.BYTES).await(LONG);
            }
        } catch (SluiceException e) {
            // the hub is done
        }
    }
}
