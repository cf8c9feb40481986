package org.sluice.ipc;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.sluice.ChannelStats;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.RemoteRegion;
import org.sluice.Transfer;

/**
 * A process of a mixed job. {@code serve TRANSPORT ADDRESS}: a node of two GPUs that shares memory on every link, until its standard
 * input ends. {@code move ADDRESS:PORT...}: a node that links each of its GPUs to each of those, moves to all at once and back, and says
 * of each link which way it went and what went over what.
 */
final class MixedSide {
    static final int BYTES = 6 << 20;
    private static final int GPUS = 2;
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private MixedSide() {}

    private static Node node(String transport) {
        return Node.open(NodeConfig.builder()
                .backend("host")
                .gpus(GPUS)
                .transport(transport)
                .channels(2)
                .nics(List.of("eth1"))
                .deadline(LIMIT)
                .build());
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("serve")) {
            serve(args[1], args[2]);
        } else {
            move(List.of(args).subList(1, args.length));
        }
    }

    private static void serve(String transport, String address) throws Exception {
        try (Node node = node(transport)) {
            node.onLink(link -> link.share("memory", node.allocate(link.gpu(), BYTES)));
            System.out.println(
                    "port " + node.listen(new InetSocketAddress(address, 0)).getPort());
            while (System.in.read() >= 0) {
                // until who started it closes it, or ends
            }
        }
    }

    private record Way(String peer, Link link, Region from, Region back, RemoteRegion there, long seed) {}

    private static void move(List<String> peers) throws Exception {
        try (Node node = node("auto")) {
            List<Way> ways = new ArrayList<>();
            for (String peer : peers) {
                for (int gpu = 0; gpu < GPUS; gpu++) {
                    Link link = node.peer(peer).link(gpu, gpu);
                    RemoteRegion there = link.remoteRegion("memory").get(LIMIT.toSeconds(), TimeUnit.SECONDS);
                    long seed = 100L + ways.size();
                    Way way = new Way(peer, link, node.allocate(gpu, BYTES), node.allocate(gpu, BYTES), there, seed);
                    way.from.fill(0, BYTES, seed);
                    way.back.fill(0, BYTES, ~seed);
                    ways.add(way);
                }
            }
            List<Transfer> all = new ArrayList<>();
            for (Way w : ways) {
                all.add(w.link.write(w.from, 0, BYTES, w.there, 0));
            }
            all.forEach(t -> t.await(LIMIT));
            all.clear();
            for (Way w : ways) {
                all.add(w.link.read(w.back, 0, BYTES, w.there, 0));
            }
            all.forEach(t -> t.await(LIMIT));
            for (Way w : ways) {
                System.out.println(String.join(
                        " ",
                        "link",
                        w.peer,
                        w.link.path().transport(),
                        w.back.mismatch(0, BYTES, w.seed) == -1 ? "verified" : "wrong",
                        "ipc=" + bytes(w.link, true),
                        "eth1=" + bytes(w.link, false)));
            }
        }
    }

    /** Both ways. */
    private static long bytes(Link link, boolean pulled) {
        return link.channels().stream()
                .filter(c -> c.nic().equals("ipc") == pulled)
                .mapToLong(ChannelStats::bytes)
                .sum();
    }
}
