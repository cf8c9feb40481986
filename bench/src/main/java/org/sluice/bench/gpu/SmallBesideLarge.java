package org.sluice.bench.gpu;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Locale;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.RemoteRegion;
import org.sluice.Transfer;

/**
 * A write of 64 KiB, one at a time, alone and beside an endless stream of writes of 1 GiB on the same link, two of them under way: {@code
 * server|client name=value ...}. Says how long the short ones take until their sender is told, and what the stream carries.
 */
public final class SmallBesideLarge {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final int SMALL = 64 << 10;
    private static final long LARGE = 1L << 30;
    private static final long SEED = 0x5_1CE5L;

    private SmallBesideLarge() {}

    public static void main(String[] args) throws Exception {
        Arguments a = Arguments.of(args, 1);
        NodeConfig config = a.node("host")
                .nics(a.nics())
                .channels(a.number("channels", 8))
                .deadline(Duration.ofMinutes(1))
                .build();
        try (Node node = Node.open(config)) {
            if (args[0].equals("server")) {
                node.bind();
                System.out.println("{\"listening\":true}");
                Link link = node.acceptAll(line -> {}).get(0);
                link.share("large", node.allocate(0, LARGE));
                Region small = node.allocate(0, SMALL);
                link.share("small", small);
                link.ended().get();
                System.out.printf("{\"wrong\":%d}%n", small.mismatch(0, SMALL, SEED));
            } else {
                Link link = node.connectAll("127.0.0.1", line -> {}).get(0);
                measure(node, link, a.number("seconds", 8));
                link.close();
            }
        }
    }

    private static void measure(Node node, Link link, int seconds) throws Exception {
        Region large = node.allocate(0, LARGE);
        Region small = node.allocate(0, SMALL);
        small.fill(0, SMALL, SEED);
        RemoteRegion farLarge = link.remoteRegion("large").get();
        RemoteRegion farSmall = link.remoteRegion("small").get();
        ArrayDeque<Transfer> stream = new ArrayDeque<>();
        for (boolean beside : new boolean[] {false, true, false, true}) {
            long carried = 0;
            long[] nanos = new long[1 << 20];
            int count = 0;
            // as long again before it, in which the JVM compiles
            long start = System.nanoTime();
            long from = start + seconds * 500_000_000L;
            long end = from + seconds * 1_000_000_000L;
            for (long now = start; now < end && count < nanos.length; ) {
                while (beside && stream.size() < 2) {
                    stream.add(link.write(large, 0, LARGE, farLarge, 0));
                }
                Transfer t = link.write(small, 0, SMALL, farSmall, 0);
                t.await(LIMIT);
                long done = System.nanoTime();
                if (now >= from) {
                    nanos[count++] = done - now;
                }
                if (beside && stream.element().isDone()) {
                    stream.remove().await(LIMIT);
                    carried += now >= from ? LARGE : 0;
                }
                now = System.nanoTime();
            }
            while (!stream.isEmpty()) {
                stream.remove().await(LIMIT);
            }
            long[] sorted = Arrays.copyOf(nanos, count);
            Arrays.sort(sorted);
            System.out.printf(
                    Locale.ROOT,
                    "{\"beside\":%b,\"count\":%d,\"p50_us\":%.1f,\"p99_us\":%.1f,\"stream_gb_per_s\":%.2f}%n",
                    beside,
                    count,
                    sorted[count / 2] / 1e3,
                    sorted[count * 99 / 100] / 1e3,
                    carried / 1e9 / seconds);
        }
    }
}
