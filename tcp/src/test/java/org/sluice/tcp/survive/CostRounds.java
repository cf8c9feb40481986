package org.sluice.tcp.survive;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.sluice.ChannelStats;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Transfer;

/**
 * The measured run of what protection costs, over loopback within one process: plain channels, checksums, encryption, and plain
 * ones with strangers at every port, in turn, each a second; medians, ratios to plain, and CPU time of the whole process (the
 * kernel's copies, verification left out). {@code CostRounds [rounds=9] [channels=8] [checksum]}; with the last, plain and checksums
 * alone. Needs nothing but the class path: it can be copied to another machine.
 */
public final class CostRounds {
    private static final int BYTES = 64 << 20;
    private static final long SPELL_NANOS = 1_000_000_000L;
    private static final int CROWD = 1000;

    /** Fits every first-level cache that is of use today. */
    private static final int CACHED_BYTES = 32 << 10;

    private CostRounds() {}

    private static final OperatingSystemMXBean PROCESS =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private record Pace(double rate, double cpu) {}

    private record Pair(Node server, Node client, Link in, Link out, Region from, Region to) {}

    public static void main(String[] args) throws Exception {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 9;
        int channels = args.length > 1 ? Integer.parseInt(args[1]) : 8;
        boolean all = args.length < 3;
        Map<String, Pair> pairs = new LinkedHashMap<>();
        pairs.put("plain", pair(channels, Map.of()));
        pairs.put("checksum", pair(channels, Map.of("checksum", "on")));
        if (all) {
            pairs.put("aes-gcm", pair(channels, Map.of("encryption", "aes-gcm")));
        }
        describe(pairs.get("plain").server(), channels);
        Map<String, List<Pace>> rates = new LinkedHashMap<>();
        for (int i = -2; i < rounds; i++) {
            for (Map.Entry<String, Pair> e : pairs.entrySet()) {
                Pace rate = spell(e.getValue());
                if (i >= 0) {
                    rates.computeIfAbsent(e.getKey(), k -> new ArrayList<>()).add(rate);
                }
            }
            if (!all) {
                continue;
            }
            Pair plain = pairs.values().iterator().next();
            Strangers crowd = new Strangers(plain);
            Pace crowded = spell(plain);
            crowd.leave();
            if (i >= 0) {
                rates.computeIfAbsent("plain, " + CROWD + " strangers", k -> new ArrayList<>())
                        .add(crowded);
            }
        }
        double plain = median(rates.get("plain"), Pace::rate);
        rates.forEach((name, paces) -> System.out.printf(
                Locale.ROOT,
                "%-24s median %.3f GB/s, %.3f of plain; %.3f ns of CPU a byte%n",
                name,
                median(paces, Pace::rate),
                median(paces, Pace::rate) / plain,
                median(paces, Pace::cpu)));
        System.exit(0);
    }

    private static void describe(Node node, int channels) throws IOException {
        String model;
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            model = lines.filter(l -> l.startsWith("model name"))
                    .findFirst()
                    .map(l -> l.substring(l.indexOf(':') + 2))
                    .orElse("unknown processor");
        }
        System.out.printf(
                "%d processors (%s), JDK %s; host GPU, %d channels over lo1-lo4, chunks of %d KiB, messages of %d MiB, two"
                        + " under way, spells of %d s%n",
                Runtime.getRuntime().availableProcessors(),
                model,
                Runtime.version(),
                channels,
                node.chunkBytes() >> 10,
                BYTES >> 20,
                SPELL_NANOS / 1_000_000_000);
        ByteBuffer memory = ByteBuffer.allocateDirect(256 << 20);
        for (int warm = 0; warm < 3; warm++) {
            crc(memory, memory.capacity());
        }
        System.out.printf(
                Locale.ROOT,
                "CRC-32C, one thread: %.1f GB/s of 32 KiB in its cache, %.1f GB/s of %d MiB of memory%n",
                crc(memory, CACHED_BYTES),
                crc(memory, memory.capacity()),
                memory.capacity() >> 20);
    }

    /** GB/s of the JDK's CRC-32C over the first {@code span} bytes, again and again for as many as there are in all. */
    private static double crc(ByteBuffer memory, int span) {
        CRC32C crc = new CRC32C();
        long start = System.nanoTime();
        for (int done = 0; done < memory.capacity(); done += CACHED_BYTES) {
            int at = done % span;
            crc.update(memory.limit(at + CACHED_BYTES).position(at));
        }
        return (double) memory.capacity() / (System.nanoTime() - start);
    }

    private static double median(List<Pace> of, ToDoubleFunction<Pace> what) {
        double[] sorted = of.stream().mapToDouble(what).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    private static Pair pair(int channels, Map<String, String> options) throws Exception {
        int port;
        try (ServerSocket probe = new ServerSocket(0)) {
            port = probe.getLocalPort();
        }
        NodeConfig config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .channels(channels)
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
    private static Pace spell(Pair p) {
        long cpu = PROCESS.getProcessCpuTime();
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
        Pace pace = new Pace((double) moved / (end - start), (double) (PROCESS.getProcessCpuTime() - cpu) / moved);
        Arrays.stream(flying).forEach(t -> t.await(Duration.ofSeconds(60)));
        if (p.to().mismatch(0, BYTES, 1) >= 0) {
            throw new AssertionError("wrong bytes");
        }
        return pace;
    }

    /** Silent, talkative and half-way connections to the bootstrap port and to the ports of the channels. */
    private static final class Strangers {
        private final List<SocketChannel> all = new ArrayList<>();

        Strangers(Pair at) throws Exception {
            List<Integer> ports =
                    new ArrayList<>(List.of(at.server().config().network().portBase()));
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
                } catch (IOException e) {
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
