package org.sluice.tcp.survive;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.Transfer;

/**
 * The measured run of peers that die: this process survives, the other one is killed ({@code kill -9}) or frozen ({@code
 * SIGSTOP}) at a random moment of its life, once it is the receiver and once the sender. Each time this side has to report within
 * the limit, and to link anew with the peer's successor without being restarted. {@code PeerRounds [rounds] [limit in ms]}.
 */
public final class PeerRounds {
    private static final long BYTES = 16 << 20;
    private static final int LATEST_MOMENT_MILLIS = 700;

    /** Less than a link's control buffers, so that one that is kept shows after a few rounds. */
    private static final long LEAK_KIB = 1024;

    private PeerRounds() {}

    /** What one round showed. */
    private record Round(long reportedMillis, String report) {}

    public static void main(String[] args) throws Exception {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 100;
        long limit = args.length > 1 ? Long.parseLong(args[1]) : 5000;
        if (!run(rounds, limit, limit, 7)) {
            System.exit(1);
        }
    }

    /**
     * @param limit silence after which the peer counts as lost, milliseconds
     * @param atMost what a report may take
     * @return whether every round went as wanted
     */
    static boolean run(int rounds, long limit, long atMost, long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        int port;
        try (ServerSocket probe = new ServerSocket(0)) {
            port = probe.getLocalPort();
        }
        NodeConfig config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .nics(List.of("lo1", "lo2", "lo3", "lo4"))
                .portBase(port)
                .duplex(true)
                .deadline(Duration.ofSeconds(20))
                .peerTimeout(Duration.ofMillis(limit))
                .build();
        long[] killed = new long[rounds];
        int kills = 0;
        long[] frozen = new long[rounds];
        int freezes = 0;
        int late = 0;
        int threads = 0;
        long descriptors = 0;
        Memory memory = Memory.UNKNOWN;
        try (Node node = Node.open(config)) {
            node.bind();
            Region region = node.allocate(0, BYTES);
            for (int i = 0; i < rounds; i++) {
                boolean kill = random.nextBoolean();
                boolean peerSends = random.nextBoolean();
                Round round = round(node, region, port, limit, kill, peerSends, random.nextInt(LATEST_MOMENT_MILLIS));
                if (round.reportedMillis > atMost) {
                    late++;
                    System.out.println("round " + i + (kill ? " kill" : " stop") + ": " + round);
                }
                if (kill) {
                    killed[kills++] = round.reportedMillis;
                } else {
                    frozen[freezes++] = round.reportedMillis;
                }
                if (i == 1) {
                    // the first rounds start what stays: compiler threads, the common pool, class files
                    threads = Thread.activeCount();
                    descriptors = descriptors();
                    memory = Memory.now();
                }
            }
            Memory after = Memory.now();
            boolean leaks = Thread.activeCount() > threads + 1
                    || descriptors() > descriptors + 4
                    || after.used > memory.used + LEAK_KIB;
            System.out.printf(
                    Locale.ROOT,
                    "%d rounds: %d killed, reported after median %d, worst %d ms; %d frozen, after median %d, worst %d ms;"
                            + " %d late; threads %d -> %d, descriptors %d -> %d; %s -> %s%n",
                    rounds,
                    kills,
                    median(killed, kills),
                    worst(killed, kills),
                    freezes,
                    median(frozen, freezes),
                    worst(frozen, freezes),
                    late,
                    threads,
                    Thread.activeCount(),
                    descriptors,
                    descriptors(),
                    memory,
                    after);
            return late == 0 && !leaks;
        }
    }

    private static Round round(
            Node node, Region region, int port, long limit, boolean kill, boolean peerSends, int moment)
            throws Exception {
        CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> node.accept(0));
        try (Side peer = new Side(
                "peer",
                List.of(),
                List.of(
                        peerSends ? "send" : "take",
                        "lo1,lo2,lo3,lo4",
                        Integer.toString(port),
                        Long.toString(BYTES),
                        "peer=" + limit,
                        "127.0.0.1"))) {
            Link link = accepted.get(30, TimeUnit.SECONDS);
            CompletableFuture<SluiceException> report = new CompletableFuture<>();
            Thread.ofPlatform().name("transfers").start(() -> {
                try {
                    while (true) {
                        Transfer t = peerSends ? link.receive(region, 0, BYTES) : link.send(region, 0, BYTES);
                        t.await(Duration.ofMinutes(1));
                    }
                } catch (SluiceException e) {
                    report.complete(e);
                } catch (RuntimeException e) {
                    report.completeExceptionally(e);
                }
            });
            Thread.sleep(moment);
            peer.signal(kill ? "KILL" : "STOP");
            long at = System.nanoTime();
            try {
                SluiceException why = report.get(2 * limit + 10_000, TimeUnit.MILLISECONDS);
                long millis = (System.nanoTime() - at) / 1_000_000;
                link.ended().get(1, TimeUnit.SECONDS);
                return new Round(millis, String.valueOf(why.getMessage()));
            } catch (TimeoutException e) {
                return new Round(Long.MAX_VALUE, "never");
            }
        } catch (ExecutionException e) {
            throw new IOException("no link: " + e.getCause(), e);
        }
    }

    /**
     * Memory outside the heap, KiB.
     *
     * @param used by arenas and direct buffers, as the virtual machine counts it with {@code -XX:NativeMemoryTracking=summary}; -1
     *     without
     * @param resident of the whole process
     */
    private record Memory(long used, long resident) {
        static final Memory UNKNOWN = new Memory(-1, -1);
        private static final Pattern OTHER = Pattern.compile("Other \\(reserved=\\d+KB, committed=(\\d+)KB");
        private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");

        static Memory now() throws IOException {
            System.gc(); // direct buffers go with their objects
            String jcmd =
                    Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
            String pid = Long.toString(ProcessHandle.current().pid());
            Process counting = new ProcessBuilder(jcmd, pid, "VM.native_memory", "summary")
                    .redirectErrorStream(true)
                    .start();
            String said = new String(counting.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return new Memory(number(OTHER, said), number(RESIDENT, Files.readString(Path.of("/proc/self/status"))));
        }

        private static long number(Pattern where, String text) {
            Matcher found = where.matcher(text);
            return found.find() ? Long.parseLong(found.group(1)) : -1;
        }

        @Override
        public String toString() {
            return (used < 0 ? "native memory not counted" : "native " + used + " KiB") + ", resident " + resident
                    + " KiB";
        }
    }

    private static long descriptors() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.count();
        }
    }

    private static long median(long[] of, int count) {
        long[] sorted = Arrays.copyOf(of, count);
        Arrays.sort(sorted);
        return count == 0 ? 0 : sorted[count / 2];
    }

    private static long worst(long[] of, int count) {
        return Arrays.stream(of, 0, count).max().orElse(0);
    }
}
