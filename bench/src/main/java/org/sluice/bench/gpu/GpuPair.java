package org.sluice.bench.gpu;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.IntStream;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Transfer;
import org.sluice.UnpackMode;

/**
 * One of two processes that move GPU memory to each other: {@code server|client mode=... name=value ...}, the same values on both
 * sides; or {@code both} in one process. Modes: {@code throughput} client to server, {@code duplex} both ways at once, {@code latency} ping-pong, {@code soak}
 * many small transfers. Every round's last content is compared on the GPU. {@code spin=} is in microseconds.
 */
public final class GpuPair {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long SEED = 0x5_1CE5L;
    private static final int CPUS = Runtime.getRuntime().availableProcessors();

    private final Arguments arguments;
    private final boolean isServer;
    private final Link link;
    private final Region out;
    private final Region in;
    private final Region word;
    private final CyclicBarrier together;

    private GpuPair(Arguments arguments, boolean isServer, Node node, Link link, CyclicBarrier together) {
        this.arguments = arguments;
        this.isServer = isServer;
        this.link = link;
        this.together = together;
        long most = Arrays.stream(arguments.sizes("sizes", "64M")).max().orElseThrow();
        this.out = node.allocate(link.gpu(), most);
        this.in = node.allocate(link.gpu(), most);
        this.word = node.allocate(link.gpu(), 8);
        link.register(out);
        link.register(in);
        link.register(word);
    }

    public static void main(String[] args) throws Exception {
        Arguments a = Arguments.of(args, 1);
        if (args[0].equals("both")) {
            CompletableFuture<Void> server = new CompletableFuture<>();
            Thread.ofPlatform().name("server").start(() -> side(a, true, server));
            CompletableFuture<Void> client = new CompletableFuture<>();
            side(a, false, client);
            client.get();
            server.get();
        } else {
            CompletableFuture<Void> done = new CompletableFuture<>();
            side(a, args[0].equals("server"), done);
            done.get();
        }
    }

    private static void side(Arguments a, boolean isServer, CompletableFuture<Void> done) {
        try {
            side(a, isServer);
            done.complete(null);
        } catch (Throwable e) {
            done.completeExceptionally(e);
        }
    }

    private static void side(Arguments a, boolean isServer) throws Exception {
        NodeConfig.Builder config = a.node("cuda")
                .unpack(UnpackMode.valueOf(a.text("unpack", "kernel").toUpperCase(Locale.ROOT)))
                .deadline(Duration.ofSeconds(30));
        if (a.text("plugin", "").isEmpty()) {
            config.nics(a.nics());
        } else {
            config.transportOptions(Map.of("plugin", a.text("plugin", "")));
        }
        if (!a.text("channels", "").isEmpty()) {
            config.channels(a.number("channels", 8));
        }
        if (!a.text("spin", "").isEmpty()) {
            config.spin(Duration.ofNanos(a.number("spin", 0) * 1000L));
        }
        if (!a.text("sockets", "").isEmpty()) {
            config.socketsPerChannel(a.number("sockets", 1));
        }
        if (!a.text("chunk", "").isEmpty()) {
            config.chunkBytes(a.number("chunk", 0));
        }
        if (!a.text("window", "").isEmpty()) {
            config.window(a.number("window", 0));
        }
        try (Node node = Node.open(config.build())) {
            List<Link> links;
            if (isServer) {
                node.bind();
                System.out.println("{\"listening\":true}");
                links = node.acceptAll(line -> {});
            } else {
                links = node.connectAll("127.0.0.1", line -> {});
            }
            for (Link link : links) {
                System.out.printf(
                        "{\"gpu\":%d,\"path\":\"%s\"}%n",
                        link.gpu(), link.path().transport());
            }
            CyclicBarrier together = new CyclicBarrier(links.size());
            List<CompletableFuture<Void>> all = new ArrayList<>();
            for (Link link : links) {
                GpuPair pair = new GpuPair(a, isServer, node, link, together);
                CompletableFuture<Void> done = new CompletableFuture<>();
                all.add(done);
                Thread.ofPlatform().name("pair-" + link.gpu()).start(() -> {
                    try {
                        pair.run();
                        done.complete(null);
                    } catch (Throwable e) {
                        done.completeExceptionally(e);
                    }
                });
            }
            for (CompletableFuture<Void> done : all) {
                done.get();
            }
            if (!isServer) {
                links.forEach(Link::close);
            } else {
                for (Link link : links) {
                    link.ended().get();
                }
            }
        }
    }

    private void run() throws Exception {
        switch (arguments.text("mode", "throughput")) {
            case "throughput" -> throughput(false);
            case "duplex" -> throughput(true);
            case "latency" -> latency();
            case "soak" -> soak();
            default -> throw new IllegalArgumentException("mode");
        }
    }

    /** Both sides have come here. */
    private void meet() throws Exception {
        Transfer received = link.receive(in, 0, 8);
        Transfer sent = link.send(word, 0, 8);
        received.await(LIMIT);
        sent.await(LIMIT);
        together.await();
    }

    private void throughput(boolean duplex) throws Exception {
        int depth = arguments.number("depth", 8);
        int rounds = arguments.number("rounds", 5);
        int warmup = arguments.number("warmup", 2);
        int cold = arguments.number("cold", 0); // more rounds to warm up the first size with: the JVM compiles in them
        long total = arguments.sizes("total", "4G")[0];
        for (long bytes : arguments.sizes("sizes", "64M")) {
            int times = (int) Math.max(4, total / bytes);
            for (int round = -warmup - cold; round < rounds; round++) {
                boolean sends = duplex || !isServer;
                boolean receives = duplex || isServer;
                long seed = SEED + round;
                if (sends) {
                    out.fill(0, bytes, seed + (isServer ? 1 << 20 : 0));
                }
                if (receives) {
                    in.fill(0, bytes, ~seed);
                }
                meet();
                long start = System.nanoTime();
                ArrayDeque<Transfer> open = new ArrayDeque<>();
                for (int i = 0; i < times; i++) {
                    if (receives) {
                        open.add(link.receive(in, 0, bytes));
                    }
                    if (sends) {
                        open.add(link.send(out, 0, bytes));
                    }
                    while (open.size() > depth * (duplex ? 2 : 1) - 1) {
                        open.remove().await(LIMIT);
                    }
                }
                for (Transfer t : open) {
                    t.await(LIMIT);
                }
                double seconds = (System.nanoTime() - start) / 1e9;
                if (receives) {
                    long wrong = in.mismatch(0, bytes, seed + (isServer ? 0 : 1 << 20));
                    if (wrong >= 0) {
                        throw new IllegalStateException("byte " + wrong + " is wrong after a round of " + bytes);
                    }
                }
                if (receives && round >= 0) {
                    System.out.printf(
                            Locale.ROOT,
                            "{\"gpu\":%d,\"to\":\"%s\",\"bytes\":%d,\"times\":%d,\"gb_per_s\":%.3f,\"verified\":true}%n",
                            link.gpu(),
                            isServer ? "server" : "client",
                            bytes,
                            times,
                            bytes * (double) times / seconds / 1e9);
                }
            }
            cold = 0;
        }
    }

    private void latency() throws Exception {
        int times = arguments.number("times", 3000);
        int warmup = arguments.number("warmup", 5000);
        for (long bytes : arguments.sizes("sizes", "8,64,512,4K,16K,64K")) {
            out.fill(0, bytes, SEED);
            in.fill(0, bytes, ~SEED);
            meet();
            in.fill(0, bytes, ~SEED);
            long[] nanos = new long[times];
            for (int i = -warmup; i < times; i++) {
                long start = System.nanoTime();
                Transfer received = link.receive(in, 0, bytes);
                if (isServer) {
                    spin(received);
                    spin(link.send(out, 0, bytes));
                } else {
                    link.send(out, 0, bytes);
                    spin(received);
                }
                if (i >= 0) {
                    nanos[i] = (System.nanoTime() - start) / 2;
                }
            }
            if (in.mismatch(0, bytes, SEED) >= 0) {
                throw new IllegalStateException("wrong bytes after ping-pong of " + bytes);
            }
            if (!isServer) {
                Arrays.sort(nanos);
                System.out.printf(
                        Locale.ROOT,
                        "{\"bytes\":%d,\"p50_us\":%.2f,\"p99_us\":%.2f,\"verified\":true}%n",
                        bytes,
                        nanos[times / 2] / 1e3,
                        nanos[times * 99 / 100] / 1e3);
            }
        }
    }

    /** Looks for the end, where that takes no CPU from the agents and the other process. */
    private static void spin(Transfer t) {
        while (CPUS >= 8 && !t.isDone()) {
            Thread.onSpinWait();
        }
        t.await(LIMIT);
    }

    /** Small transfers of every length; a line before and after the last nine tenths, for who watches the process's memory. */
    private void soak() throws Exception {
        int times = arguments.number("times", 10_000);
        long most = in.size();
        out.fill(0, most, SEED);
        in.fill(0, most, ~SEED);
        meet();
        long[] lengths =
                IntStream.range(0, times).mapToLong(i -> 1 + (i * 7919L) % most).toArray();
        ArrayDeque<Transfer> open = new ArrayDeque<>();
        long longest = 0;
        for (int i = 0; i < times; i++) {
            if (i == times / 10) {
                report("warm", i);
            }
            longest = Math.max(longest, lengths[i]);
            open.add(isServer ? link.receive(in, 0, lengths[i]) : link.send(out, 0, lengths[i]));
            while (open.size() > 16) {
                open.remove().await(LIMIT);
            }
        }
        for (Transfer t : open) {
            t.await(LIMIT);
        }
        if (isServer && in.mismatch(0, longest, SEED) >= 0) {
            throw new IllegalStateException("wrong bytes after the soak");
        }
        report("done", times);
    }

    private void report(String at, int transfers) throws IOException {
        List<String> status = Files.readAllLines(Path.of("/proc/self/status"));
        System.out.printf(
                Locale.ROOT,
                "{\"at\":\"%s\",\"transfers\":%d,\"rss_kb\":%d,\"fds\":%d,\"gpu_used_mib\":%s}%n",
                at,
                transfers,
                kilobytes(status, "VmRSS:"),
                Objects.requireNonNull(new File("/proc/self/fd").list()).length,
                gpuMemory());
    }

    private static long kilobytes(List<String> status, String name) {
        return status.stream()
                .filter(l -> l.startsWith(name))
                .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")))
                .findFirst()
                .orElse(-1);
    }

    /** MiB of every process on the GPU, as nvidia-smi says; null where there is none. */
    private static String gpuMemory() throws IOException {
        try {
            Process p = new ProcessBuilder("nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits")
                    .start();
            return "\""
                    + new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                            .strip()
                            .replace('\n', ' ')
                    + "\"";
        } catch (IOException e) {
            return "null";
        }
    }
}
