package org.sluice.bench.peers;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.Region;

/**
 * One node with many peers around it on this machine: how long the links take to make, what an idle one costs, and what all carry
 * together beside what those of one peer carry. Every byte is compared at both ends. Prints {@code name value unit} lines.
 */
public final class ManyPeers implements AutoCloseable {
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final int IDLE_SECONDS = 10;
    private static final int LOAD_SECONDS = 6;
    private static final int PAIRS = 2;

    private final Settings settings;
    private final Node node;
    private final String address;
    private final BlockingQueue<Link> incoming = new LinkedBlockingQueue<>();
    private final List<Link> links = new ArrayList<>();
    private final List<Child> children = new ArrayList<>();

    private record Child(Process process, BufferedReader out, BufferedWriter in, int nodes) {
        void say(String line) throws IOException {
            in.write(line + "\n");
            in.flush();
        }

        void expect(String line) throws IOException {
            String said = out.readLine();
            if (!line.equals(said)) {
                throw new IOException("a process of peers said " + said + " instead of " + line);
            }
        }
    }

    private ManyPeers(Settings settings) {
        this.settings = settings;
        this.node = Node.open(settings.node());
        node.onLink(incoming::add);
        InetSocketAddress bound = node.listen(new InetSocketAddress("127.0.0.1", 0));
        this.address = "127.0.0.1:" + bound.getPort();
    }

    /** @param args GPUs a node, peers, processes, channels of a link */
    public static void main(String[] args) throws Exception {
        try (ManyPeers run = new ManyPeers(Settings.of(Arrays.asList(args)))) {
            run.measure();
        }
    }

    private void measure() throws Exception {
        print("cores", Runtime.getRuntime().availableProcessors(), "");
        start();
        Cost empty = Cost.now();
        link(0, 1, true);
        verifyAll();
        print("one_peer_rate", load(), "GB/s both ways");
        // compiled code and what compiling it took is no link's memory: both measures are of a process that has worked
        Cost few = Cost.now();
        report("one_peer", few);
        print("one_peer_idle_cpu", idleCpu(), "of a core");
        double seconds = link(0, settings.peers(), false);
        print("links", links.size(), "");
        print("link_seconds", seconds, "s");
        verifyAll();
        Cost many = Cost.now();
        report("all_peers", many);
        double perLink = (double) (many.residentBytes() + many.socketBytes() - few.residentBytes() - few.socketBytes())
                / Math.max(1, links.size() - settings.gpus());
        print("memory_per_link", perLink / 1024, "KiB");
        Map<String, Long> before = Cost.threadNanos();
        print("all_peers_idle_cpu", idleCpu(), "of a core");
        System.out.println("all_peers_idle_by_thread_ms " + Cost.since(before));
        compareLoads();
        verifyAll();
        System.out.println("threads_by_name " + many.threads());
        System.out.println("threads_without_links " + empty.threadCount());
    }

    private void start() throws IOException {
        int left = settings.peers();
        for (int p = settings.processes(); p > 0; p--) {
            int nodes = left / p;
            left -= nodes;
            List<String> command = new ArrayList<>(List.of(
                    ProcessHandle.current().info().command().orElse("java"),
                    "-Xmx512m",
                    "-XX:+UseSerialGC",
                    "--enable-native-access=ALL-UNNAMED",
                    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Spokes.class.getName(),
                    address,
                    "" + nodes));
            command.addAll(settings.text());
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            children.add(new Child(
                    process,
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)),
                    new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8)),
                    nodes));
        }
        for (Child c : children) {
            c.expect("open");
        }
    }

    /** Has peers make their links. @param firstOnly only the first node of the first process @return seconds until all were here */
    private double link(int first, int peers, boolean firstOnly) throws Exception {
        long begin = System.nanoTime();
        int wanted = peers * settings.gpus();
        for (Child c : children) {
            c.say(
                    firstOnly
                            ? "link 0 " + (c.equals(children.getFirst()) ? peers : 0)
                            : "link " + first + " " + c.nodes());
        }
        while (links.size() < wanted) {
            Link link = incoming.poll(2, TimeUnit.MINUTES);
            if (link == null) {
                throw new IOException("only " + links.size() + " of " + wanted + " links came");
            }
            links.add(link);
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        for (Child c : children) {
            c.expect("linked");
        }
        return seconds;
    }

    /** One message each way on every link, every byte compared. */
    private void verifyAll() throws InterruptedException {
        AtomicLong wrong = new AtomicLong();
        Phaser all = new Phaser(1);
        for (Link link : links) {
            all.register();
            Thread.ofVirtual().start(() -> {
                try {
                    wrong.addAndGet(there(link, 1));
                } catch (RuntimeException e) {
                    System.err.println(e.getMessage());
                    wrong.incrementAndGet();
                } finally {
                    all.arriveAndDeregister();
                }
            });
        }
        all.arriveAndAwaitAdvance();
        print("verified_links", links.size(), "wrong " + wrong);
        if (wrong.get() > 0) {
            throw new IllegalStateException("wrong bytes or lost links");
        }
    }

    private int there(Link link, int times) {
        int wrong = 0;
        try (Region out = node.allocate(link.gpu(), Settings.BYTES);
                Region back = node.allocate(link.gpu(), Settings.BYTES)) {
            out.fill(0, Settings.BYTES, link.gpu());
            for (int i = 0; i < times; i++) {
                var receive = link.receive(back, 0, Settings.BYTES);
                link.send(out, 0, Settings.BYTES).await(LONG);
                receive.await(LONG);
            }
            wrong += back.mismatch(0, Settings.BYTES, link.gpu()) >= 0 ? 1 : 0;
        }
        return wrong;
    }

    /**
     * The links of one peer and those of all in turn, once every process is warm: one that has not worked yet compiles while it is measured.
     * Eight links of eight peers too, which keep as many processes busy as all links do.
     */
    private void compareLoads() throws InterruptedException {
        List<Link> one = links.subList(0, settings.gpus());
        List<Link> spread = new ArrayList<>();
        for (int i = 0; i < settings.gpus(); i++) {
            spread.add(links.get(i * (links.size() / settings.gpus())));
        }
        for (int warm = 0; warm < PAIRS; warm++) {
            load(links, 1);
        }
        Map<String, Long> before = Cost.threadNanos();
        print("warm_idle_cpu", idleCpu(), "of a core");
        System.out.println("warm_idle_by_thread_ms " + Cost.since(before));
        int share = links.size() / one.size();
        for (int pair = 0; pair < PAIRS; pair++) {
            print("rate_of_one_peer", load(one, 1), "GB/s both ways");
            print("rate_of_one_peer_with_memory_of_all", load(one, share), "GB/s both ways");
            print("rate_of_as_many_links_of_others_with_memory_of_all", load(spread, share), "GB/s both ways");
            print("rate_of_all", load(links, 1), "GB/s both ways");
        }
    }

    private double load() throws InterruptedException {
        return load(links, 1);
    }

    /**
     * Messages there and back on each of these for some seconds.
     *
     * @param places in memory that each link's messages take in turn: as many as more links would, whose memory does not fit the caches
     *     either
     * @return GB/s of both directions together
     */
    private double load(List<Link> busy, int places) throws InterruptedException {
        AtomicLong bytes = new AtomicLong();
        long cpu = cpuNanos();
        long begin = System.nanoTime();
        long end = begin + TimeUnit.SECONDS.toNanos(LOAD_SECONDS);
        Phaser all = new Phaser(1);
        for (Link link : busy) {
            all.register();
            Thread.ofVirtual().start(() -> {
                List<Region> out = new ArrayList<>();
                List<Region> back = new ArrayList<>();
                try {
                    for (int p = 0; p < places; p++) {
                        out.add(node.allocate(link.gpu(), Settings.BYTES));
                        back.add(node.allocate(link.gpu(), Settings.BYTES));
                        out.get(p).fill(0, Settings.BYTES, link.gpu());
                    }
                    for (int p = 0; System.nanoTime() < end; p = (p + 1) % places) {
                        var receive = link.receive(back.get(p), 0, Settings.BYTES);
                        link.send(out.get(p), 0, Settings.BYTES).await(LONG);
                        receive.await(LONG);
                        bytes.addAndGet(2 * Settings.BYTES);
                    }
                } finally {
                    out.forEach(Region::close);
                    back.forEach(Region::close);
                    all.arriveAndDeregister();
                }
            });
        }
        all.arriveAndAwaitAdvance();
        print("  own_cpu", (cpuNanos() - cpu) / (double) bytes.get(), "s of a core for each GB");
        return bytes.get() / (double) (System.nanoTime() - begin);
    }

    private static double idleCpu() throws InterruptedException {
        TimeUnit.SECONDS.sleep(2); // what the last run left to do is not idling
        long before = cpuNanos();
        TimeUnit.SECONDS.sleep(IDLE_SECONDS);
        return (cpuNanos() - before) / (IDLE_SECONDS * 1e9);
    }

    private static long cpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    private static void report(String when, Cost cost) {
        print(when + "_threads", cost.threadCount(), "");
        print(when + "_resident", cost.residentBytes() / 1048576.0, "MiB");
        print(when + "_socket_memory", cost.socketBytes() / 1048576.0, "MiB, both ends");
        print(when + "_descriptors", cost.descriptors(), "");
        print(when + "_connections", cost.connections(), "");
    }

    private static void print(String name, double value, String unit) {
        System.out.printf(java.util.Locale.ROOT, "%s %.4g %s%n", name, value, unit);
    }

    @Override
    public void close() throws IOException {
        for (Child c : children) {
            c.process().destroy();
        }
        node.close();
    }
}
