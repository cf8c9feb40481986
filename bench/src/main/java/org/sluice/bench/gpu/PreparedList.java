package org.sluice.bench.gpu;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.sluice.ChannelStats;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.LocalSide;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.PreparedLayout;
import org.sluice.PreparedRemoteLayout;
import org.sluice.Region;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.RemoteSide;
import org.sluice.Transfer;
import org.sluice.TransferOptions;

/**
 * A long list of blocks that is prepared once and posted again and again: {@code server|client blocks=120000 block=40K name=value ...}. Says
 * how long the first chunk takes from the call on, whole and for a new random order of all blocks on both sides, and the rate of each next
 * to one range of as many bytes, in turn. Each time the bytes are read back over the same places, and compared.
 */
public final class PreparedList {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final long SEED = 0x5_1CE5L;
    private static final int GUARD = 1 << 20;

    private final Arguments arguments;
    private final Link link;
    private final Region out;
    private final Region back;
    private final RemoteRegion pool;
    private final long bytes;
    private final Random random = new Random(SEED);

    private PreparedList(Arguments arguments, Node node, Link link, long bytes) throws Exception {
        this.arguments = arguments;
        this.link = link;
        this.bytes = bytes;
        this.out = node.allocate(0, bytes);
        this.back = node.allocate(0, bytes);
        this.pool = link.remoteRegion("pool").get();
        out.fill(0, bytes, SEED);
    }

    public static void main(String[] args) throws Exception {
        Arguments a = Arguments.of(args, 1);
        long bytes = blocks(a) * block(a);
        NodeConfig config = a.node("cuda")
                .nics(a.nics())
                .channels(a.number("channels", 8))
                .chunkBytes(1 << 20)
                .deadline(Duration.ofSeconds(60))
                .build();
        try (Node node = Node.open(config)) {
            if (args[0].equals("server")) {
                node.bind();
                System.out.println("{\"listening\":true}");
                Link link = node.acceptAll(line -> {}).get(0);
                Region pool = node.allocate(0, bytes + GUARD);
                pool.fill(0, bytes + GUARD, ~SEED);
                link.share("pool", pool);
                link.ended().get();
                // what is behind the last block is as it was
                System.out.printf("{\"outside_wrong\":%d}%n", outside(node, pool, bytes));
            } else {
                Link link = node.connectAll("127.0.0.1", line -> {}).get(0);
                new PreparedList(a, node, link, bytes).run();
                link.close();
            }
        }
    }

    private static long blocks(Arguments a) {
        return a.number("blocks", 120_000);
    }

    private static long block(Arguments a) {
        return a.sizes("block", "40K")[0];
    }

    /** The first byte behind the last block that is not as it was; -1 when all are. */
    private static long outside(Node node, Region pool, long bytes) {
        Region fresh = node.allocate(0, bytes + GUARD);
        fresh.fill(0, bytes + GUARD, ~SEED);
        byte[] is = new byte[GUARD];
        byte[] was = new byte[GUARD];
        pool.read(bytes, MemorySegment.ofArray(is));
        fresh.read(bytes, MemorySegment.ofArray(was));
        return Arrays.mismatch(is, was);
    }

    private int[] order() {
        List<Integer> all = new ArrayList<>(
                IntStream.range(0, Math.toIntExact(blocks(arguments))).boxed().toList());
        Collections.shuffle(all, random);
        return all.stream().mapToInt(i -> i).toArray();
    }

    private void run() {
        int rounds = arguments.number("rounds", 6);
        long block = block(arguments);
        int[] listed = order();
        PreparedLayout here = link.prepare(Layout.blocks(out, 0, block, listed));
        PreparedRemoteLayout there = link.prepare(RemoteLayout.blocks(pool, 0, block, order()));
        for (int round = -2; round < rounds; round++) {
            timed("one range", round, () -> link.write(out, 0, bytes, pool, 0));
            compare("one range", back, RemoteLayout.range(pool, 0, bytes));
            timed("whole", round, () -> link.write(here, there, TransferOptions.NONE));
            compare("whole", Layout.blocks(back, 0, block, listed), there);
            int[] from = order();
            int[] to = order();
            timed("selection", round, () -> link.write(here.select(from), there.select(to), TransferOptions.NONE));
            int[] home = Arrays.stream(from).map(i -> listed[i]).toArray();
            compare("selection", Layout.blocks(back, 0, block, home), there.select(to));
        }
        here.close();
        there.close();
    }

    private void compare(String what, Region whole, RemoteLayout from) {
        compare(what, Layout.range(whole, 0, bytes), from);
    }

    /** Reads what was written from where it lies to where it was in {@link #out}, and forgets it there, so that the next round must write it. */
    private void compare(String what, LocalSide to, RemoteSide from) {
        back.fill(0, bytes, ~SEED);
        link.read(to, from, TransferOptions.NONE).await(LIMIT);
        long wrong = back.mismatch(0, bytes, SEED);
        if (wrong >= 0) {
            throw new IllegalStateException("byte " + wrong + " is wrong after " + what);
        }
        back.fill(0, bytes, ~SEED);
        link.write(back, 0, bytes, pool, 0).await(LIMIT);
    }

    private void timed(String what, int round, Supplier<Transfer> post) {
        long before = sent();
        double cpu = cpuSeconds();
        long start = System.nanoTime();
        Transfer t = post.get();
        long posted = System.nanoTime() - start;
        while (sent() == before) {
            Thread.onSpinWait();
        }
        long first = System.nanoTime() - start;
        t.await(LIMIT);
        double seconds = (System.nanoTime() - start) / 1e9;
        if (round >= 0) {
            System.out.printf(
                    Locale.ROOT,
                    "{\"what\":\"%s\",\"blocks\":%d,\"block\":%d,\"posted_ms\":%.3f,\"first_chunk_ms\":%.3f,\"gb_per_s\":%.3f,"
                            + "\"cpu_s_per_gb\":%.4f}%n",
                    what,
                    blocks(arguments),
                    block(arguments),
                    posted / 1e6,
                    first / 1e6,
                    bytes / seconds / 1e9,
                    (cpuSeconds() - cpu) / (bytes / 1e9));
        }
    }

    /** Payload that has gone to the NICs; a chunk counts when all of it has, so that the first is seen late rather than early. */
    private long sent() {
        return link.channels().stream()
                .filter(ChannelStats::sending)
                .mapToLong(ChannelStats::bytes)
                .sum();
    }

    private static double cpuSeconds() {
        return ProcessHandle.current()
                        .info()
                        .totalCpuDuration()
                        .orElse(Duration.ZERO)
                        .toNanos()
                / 1e9;
    }
}
