package org.sluice;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.sluice.sockets.MemorySockets;

/**
 * One node of eight GPUs and very many peers, eight links each, without a socket: what a link costs may not grow with their number. Peers are
 * nodes of one GPU in this JVM, which link it to each GPU of the node that is measured; channels are wires in memory, control connections
 * are {@link MemorySockets}. Everything above is the code that runs over a network.
 *
 * <p>{@code bench/survive/run.sh links [seconds at rest] [peers...]}; a share of it is {@link SimulatedPeersTest}. A line for each number of
 * peers, after one that warms up.
 */
public final class SimulatedPeers implements AutoCloseable {
    private static final int GPUS = 8;

    /** Links being made at once: more would wait for the two cores. */
    private static final int AT_ONCE = 8;

    private static final Duration LONG = Duration.ofMinutes(4);
    private static final int BYTES = 20_000;
    private static final int MOST_TOLD = 5;
    private static final int SETTLED_MILLIS = 2000;

    private final int peers;
    private final long restMillis;
    private final Node hub;
    private final String address;
    private final Map<Integer, Link> came = new ConcurrentHashMap<>();
    private final Map<Integer, Link> made = new ConcurrentHashMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private final ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);

    /**
     * What was measured.
     *
     * @param nodeHeap of a peer without links, bytes: not the node's that is measured
     * @param linkHeap heap of a link after a collection, both ends, bytes
     * @param linkBuffers native memory of a link's control connections, both ends, bytes
     * @param said bytes a second and peer at rest from the peers
     * @param answered bytes a second and peer at rest to the peers
     * @param linkMillis from the first link's begin to the last one's end, for each link
     * @param linkCpuMillis CPU time of both ends for each link, without what the peers that are there use at rest
     * @param usedBuffers as {@code linkBuffers}, once the link has carried a message each way and was silent for two seconds
     * @param lost links that have ended while nothing was asked of them
     * @param wrong messages with other bytes than were sent
     */
    record Cost(
            int peers,
            int links,
            double nodeHeap,
            double linkHeap,
            double linkBuffers,
            double said,
            double answered,
            double linkMillis,
            double linkCpuMillis,
            double usedBuffers,
            int lost,
            int wrong) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "peers=%d links=%d node_heap=%.0f link_heap=%.0f link_buffers=%.0f control_in=%.1f control_out=%.1f"
                            + " link_ms=%.3f link_cpu_ms=%.3f used_buffers=%.0f lost=%d wrong=%d",
                    peers,
                    links,
                    nodeHeap,
                    linkHeap,
                    linkBuffers,
                    said,
                    answered,
                    linkMillis,
                    linkCpuMillis,
                    usedBuffers,
                    lost,
                    wrong);
        }
    }

    private SimulatedPeers(int peers, long restMillis) {
        this.peers = peers;
        this.restMillis = restMillis;
        this.hub = Node.open(config(GPUS, -1));
        hub.onLink(l -> came.put(ByteBuffer.wrap(l.offeredNote()).getInt() * GPUS + l.gpu(), l));
        InetSocketAddress bound = hub.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        this.address = "127.0.0.1:" + bound.getPort();
    }

    /** @param args milliseconds at rest, peers of the run that warms up, then of each that is measured */
    public static void main(String[] args) throws Exception {
        if (!MemorySockets.areUsed()) {
            System.err.println("give -Djava.nio.channels.spi.SelectorProvider=" + MemorySockets.class.getName());
            System.exit(2);
        }
        long rest = args.length > 0 ? Long.parseLong(args[0]) : 10_000;
        int[] counts = args.length > 1
                ? Arrays.stream(args).skip(1).mapToInt(Integer::parseInt).toArray()
                : new int[] {125, 125, 250, 500, 1000};
        System.out.println("cores=" + Runtime.getRuntime().availableProcessors());
        for (int i = 0; i < counts.length; i++) {
            try (SimulatedPeers run = new SimulatedPeers(counts[i], i == 0 ? 0 : rest)) {
                System.out.println((i == 0 ? "warm-up " : "") + run.measure());
            }
        }
        Runtime.getRuntime().halt(0); // nothing is left that anybody would wait for
    }

    /** @param peer its number, which its links say; -1 for the node that is measured */
    private static NodeConfig config(int gpus, int peer) {
        return NodeConfig.builder()
                .backend("host")
                .gpus(gpus)
                .transport("memory")
                .channels(4)
                .chunkBytes(4096)
                .note(
                        peer < 0
                                ? new byte[0]
                                : ByteBuffer.allocate(4).putInt(peer).array())
                .deadline(Duration.ofMinutes(1))
                .build();
    }

    private Cost measure() throws Exception {
        long empty = heap();
        for (int p = 0; p < peers; p++) {
            nodes.add(Node.open(config(1, p)));
        }
        long opened = heap();
        long buffers = buffers();
        long cpu = cpuNanos();
        long begin = System.nanoTime();
        all(this::link);
        int links = peers * GPUS;
        while (came.size() < links) {
            if (System.nanoTime() - begin > LONG.toNanos()) {
                throw new IllegalStateException("only " + came.size() + " of " + links + " links came");
            }
            Thread.onSpinWait();
        }
        double linkNanos = System.nanoTime() - begin;
        double cpuUsed = cpuNanos() - cpu;
        double linkHeap = (double) (heap() - opened) / links;
        double linkBuffers = (double) (buffers() - buffers) / links;
        double[] rest = rest();
        int lost = lost();
        int wrong = all(this::verify);
        TimeUnit.MILLISECONDS.sleep(
                Math.min(restMillis, SETTLED_MILLIS)); // what it has grown by a connection gives back
        long ignored = heap(); // collects what nobody holds any more
        double usedBuffers = (double) (buffers() - buffers) / links;
        return new Cost(
                peers,
                links,
                (double) (opened - empty) / peers,
                linkHeap,
                linkBuffers,
                rest[0] / peers,
                rest[1] / peers,
                linkNanos / 1e6 / links,
                // they come one after the other: half of them on the average
                (cpuUsed - rest[2] * linkNanos / 2) / 1e6 / links,
                usedBuffers,
                lost,
                wrong);
    }

    /** @return bytes a second from and to peers, and the CPU's part that the process uses */
    private double[] rest() throws InterruptedException {
        TimeUnit.MILLISECONDS.sleep(Math.min(restMillis, SETTLED_MILLIS)); // what making links left to say is not rest
        long in = MemorySockets.bytesToServers();
        long out = MemorySockets.bytesToClients();
        long cpu = cpuNanos();
        long begin = System.nanoTime();
        TimeUnit.MILLISECONDS.sleep(restMillis);
        double nanos = System.nanoTime() - begin;
        return new double[] {
            (MemorySockets.bytesToServers() - in) * 1e9 / nanos,
            (MemorySockets.bytesToClients() - out) * 1e9 / nanos,
            (cpuNanos() - cpu) / nanos
        };
    }

    /** Says why the first few have ended. */
    private int lost() {
        List<Link> ended = Stream.concat(made.values().stream(), came.values().stream())
                .filter(l -> l.ended().isDone())
                .toList();
        ended.stream()
                .limit(MOST_TOLD)
                .forEach(l -> System.err.println("lost: " + l.ended().join().getMessage()));
        return ended.size();
    }

    private interface OfPeer {
        /** @return how much was wrong */
        int with(int peer);
    }

    private int all(OfPeer work) throws InterruptedException, ExecutionException {
        List<Callable<Integer>> tasks = IntStream.range(0, peers)
                .<Callable<Integer>>mapToObj(p -> () -> work.with(p))
                .toList();
        int sum = 0;
        for (Future<Integer> f : threads.invokeAll(tasks)) {
            sum += f.get();
        }
        return sum;
    }

    private int link(int peer) {
        for (int g = 0; g < GPUS; g++) {
            made.put(peer * GPUS + g, nodes.get(peer).peer(address).link(0, g));
        }
        return 0;
    }

    /** A message each way on each link of the peer, every byte compared. */
    private int verify(int peer) {
        int wrong = 0;
        Node node = nodes.get(peer);
        for (int g = 0; g < GPUS; g++) {
            Link there = made.get(peer * GPUS + g);
            Link here = came.get(peer * GPUS + g);
            if (there.ended().isDone() || here.ended().isDone()) {
                continue; // counted, with the reasons
            }
            try (Region a = node.allocate(0, BYTES);
                    Region b = hub.allocate(g, BYTES)) {
                a.fill(0, BYTES, g);
                Transfer in = here.receive(b, 0, BYTES);
                there.send(a, 0, BYTES).await(LONG);
                in.await(LONG);
                wrong += b.mismatch(0, BYTES, g) < 0 ? 0 : 1;
                b.fill(0, BYTES, peer);
                Transfer back = there.receive(a, 0, BYTES);
                here.send(b, 0, BYTES).await(LONG);
                back.await(LONG);
                wrong += a.mismatch(0, BYTES, peer) < 0 ? 0 : 1;
            }
        }
        return wrong;
    }

    /** What lived when a collection had just ended: what threads have taken since to allocate in is no object's. */
    private static long heap() {
        long least = Long.MAX_VALUE;
        // the serial collector leaves what is dead where it lies, up to a share of the heap, but for every fourth time
        for (int i = 0; i < 5; i++) {
            System.gc();
            long lives = 0;
            for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
                MemoryUsage after = pool.getCollectionUsage();
                lives += pool.getType() == MemoryType.HEAP && after != null ? after.getUsed() : 0;
            }
            least = Math.min(least, lives);
        }
        return least;
    }

    private static long buffers() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(b -> b.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    private static long cpuNanos() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    @Override
    public void close() {
        hub.close();
        nodes.parallelStream().forEach(Node::close);
        threads.shutdown();
    }
}
