package org.sluice.tcp.survive;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.sluice.ChannelStats;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Transfer;

/**
 * The measured run of what protection costs, over loopback within one process: plain channels, checksums, encryption, and plain
 * ones with strangers at every port, in turn, each a second; medians and ratios to plain. {@code CostRounds [rounds]}.
 */
public final class CostRounds {
    private static final int BYTES = 64 << 20;
    private static final long SPELL_NANOS = 1_000_000_000L;
    private static final int CROWD = 1000;

    private CostRounds() {}

    private record Pair(Node server, Node client, Link in, Link out, Region from, Region to) {}

    public static void main(String[] args) throws Exception {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 9;
        Map<String, Pair> pairs = new LinkedHashMap<>();
        pairs.put("plain", pair(Map.of()));
        pairs.put("checksum", pair(Map.of("checksum", "on")));
        pairs.put("aes-gcm", pair(Map.of("encryption", "aes-gcm")));
        Map<String, List<Double>> rates = new LinkedHashMap<>();
        for (int i = -2; i < rounds; i++) {
            for (Map.Entry<String, Pair> e : pairs.entrySet()) {
                double rate = spell(e.getValue());
                if (i >= 0) {
                    rates.computeIfAbsent(e.getKey(), k -> new ArrayList<>()).add(rate);
                }
            }
            Pair plain = pairs.values().iterator().next();
            Strangers crowd = new Strangers(plain);
            double crowded = spell(plain);
            crowd.leave();
            if (i >= 0) {
                rates.computeIfAbsent("plain, " + CROWD + " strangers", k -> new ArrayList<>())
                        .add(crowded);
            }
        }
        double plain = median(rates.get("plain"));
        rates.forEach((name, all) -> System.out.printf(
                Locale.ROOT, "%-24s median %.3f GB/s, %.3f of plain%n", name, median(all), median(all) / plain));
        System.exit(0);
    }

    private static double median(List<Double> of) {
        double[] sorted = of.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    private static Pair pair(Map<String, String> options) throws Exception {
        int port;
        try (ServerSocket probe = new ServerSocket(0)) {
            port = probe.getLocalPort();
        }
        NodeConfig config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .nics(List.of("lo1", "lo2", "lo3", "lo4"))
                .portBase(port)
                .secret("0123456789abcdef".getBytes(StandardCharsets.US_ASCII))
                .transportOptions(options)
                .build();
        Node server = Node.open(config);
        Node client = Node.open(config);
        server.bind();
        CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> server.accept(0));
        Link out = client.connect(0, "127.0.0.1");
        Region from = client.allocate(0, BYTES);
        from.fill(0, BYTES, 1);
        return new Pair(server, client, accepted.get(), out, from, server.allocate(0, BYTES));
    }

    /** GB/s of messages one after the other, two under way; the last one's bytes are compared, outside the time. */
    private static double spell(Pair p) {
        long start = System.nanoTime();
        long moved = 0;
        Transfer[] flying = new Transfer[2];
        long end;
        do {
            for (int i = 0; i < flying.length; i++) {
                if (flying[i] != null) {
                    flying[i].await(Duration.ofSeconds(60));
                    moved += BYTES;
                }
                flying[i] = p.in().receive(p.to(), 0, BYTES);
                p.out().send(p.from(), 0, BYTES);
            }
            end = System.nanoTime();
        } while (end - start < SPELL_NANOS);
        double rate = (double) moved / (end - start);
        Arrays.stream(flying).forEach(t -> t.await(Duration.ofSeconds(60)));
        if (p.to().mismatch(0, BYTES, 1) >= 0) {
            throw new AssertionError("wrong bytes");
        }
        return rate;
    }

    /** Silent, talkative and half-way connections to the bootstrap port and to the ports of the channels. */
    private static final class Strangers {
        private final List<SocketChannel> all = new ArrayList<>();

        Strangers(Pair at) throws Exception {
            List<Integer> ports = new ArrayList<>(List.of(at.server().config().portBase()));
            for (ChannelStats c : at.in().channels()) {
                ports.add(Integer.parseInt(
                        c.description().substring(c.description().lastIndexOf(':') + 1)));
            }
            for (int i = 0; i < CROWD; i++) {
                int port = ports.get(i % 4 < 2 ? 0 : i % ports.size());
                SocketChannel s = SocketChannel.open();
                try {
                    s.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                    byte[] garbage = new byte[i % 3 == 0 ? 0 : 72];
                    ThreadLocalRandom.current().nextBytes(garbage);
                    s.write(ByteBuffer.wrap(garbage));
                    all.add(s);
                } catch (java.io.IOException e) {
                    s.close(); // nobody listens where a channel has been made
                }
            }
        }

        void leave() throws Exception {
            for (SocketChannel s : all) {
                s.close();
            }
        }
    }
}
