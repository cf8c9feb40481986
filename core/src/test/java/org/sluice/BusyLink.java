package org.sluice;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.sluice.sockets.MemorySockets;

/**
 * What a chunk costs a node of one GPU whose one link is busy while all others are idle. The wires are simulated, so that nothing but the
 * engine is measured: agents, control frames, grants and the copy of the chunk's 4096 bytes.
 *
 * <p>{@code bench/survive/run.sh busy [forks=10]} runs it with one link and with 512 in turn, each in a JVM of its own.
 */
public final class BusyLink {
    private static final int CHUNK_BYTES = 4096;
    private static final int CHUNKS = 8192;
    private static final int UNDER_WAY = 2;
    private static final int GPUS_OF_A_PEER = 8;
    private static final Duration LONG = Duration.ofMinutes(2);

    private BusyLink() {}

    /** @param args links, seconds to warm up, seconds that are measured */
    public static void main(String[] args) throws Exception {
        if (!MemorySockets.areUsed()) {
            System.err.println("give -Djava.nio.channels.spi.SelectorProvider=" + MemorySockets.class.getName());
            System.exit(2);
        }
        int links = Integer.parseInt(args[0]);
        long warmUp = TimeUnit.SECONDS.toNanos(Long.parseLong(args[1]));
        long measured = TimeUnit.SECONDS.toNanos(Long.parseLong(args[2]));
        Node hub = Node.open(config(1));
        long hubAgent = agents().get(0);
        ConcurrentLinkedQueue<Link> came = new ConcurrentLinkedQueue<>();
        hub.onLink(came::add);
        InetSocketAddress bound = hub.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        List<Node> peers = new ArrayList<>();
        List<Link> made = new ArrayList<>();
        while (made.size() < links) {
            int gpus = Math.min(GPUS_OF_A_PEER, links - made.size());
            Node node = Node.open(config(gpus));
            peers.add(node);
            Peer peer = node.peer("127.0.0.1:" + bound.getPort());
            for (int g = 0; g < gpus; g++) {
                made.add(peer.link(g, 0));
                while (came.size() < made.size()) {
                    Thread.onSpinWait();
                }
            }
        }
        Link out = made.get(0);
        Link in = came.element();
        Region from = peers.get(0).allocate(0, (long) CHUNKS * CHUNK_BYTES);
        Region to = hub.allocate(0, (long) CHUNKS * CHUNK_BYTES);
        from.fill(0, from.size(), 7);
        run(in, to, out, from, warmUp);
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long cpu = threads.getThreadCpuTime(hubAgent);
        long begin = System.nanoTime();
        long chunks = run(in, to, out, from, measured);
        double nanos = System.nanoTime() - begin;
        double cpuNanos = threads.getThreadCpuTime(hubAgent) - cpu;
        System.out.printf(
                Locale.ROOT,
                "links=%d chunks=%d ns_a_chunk=%.1f agent_ns_a_chunk=%.1f wrong=%d%n",
                links,
                chunks,
                nanos / chunks,
                cpuNanos / chunks,
                to.mismatch(0, to.size(), 7) < 0 ? 0 : 1);
        Runtime.getRuntime().halt(0); // nothing is left that anybody would wait for
    }

    /** @return how many chunks have landed */
    private static long run(Link in, Region to, Link out, Region from, long nanos) {
        Deque<Transfer> received = new ArrayDeque<>();
        Deque<Transfer> sent = new ArrayDeque<>();
        long begin = System.nanoTime();
        long transfers = 0;
        while (System.nanoTime() - begin < nanos || !received.isEmpty()) {
            while (received.size() < UNDER_WAY && System.nanoTime() - begin < nanos) {
                received.add(in.receive(to, 0, to.size()));
                sent.add(out.send(from, 0, from.size()));
            }
            if (!received.isEmpty()) {
                received.remove().await(LONG);
                sent.remove().await(LONG);
                transfers++;
            }
        }
        return transfers * CHUNKS;
    }

    private static NodeConfig config(int gpus) {
        return NodeConfig.builder()
                .backend("host")
                .gpus(gpus)
                .transport("memory")
                .channels(4)
                .chunkBytes(CHUNK_BYTES)
                .deadline(Duration.ofMinutes(1))
                .build();
    }

    /** The agents' threads that there are. */
    private static List<Long> agents() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        List<Long> found = new ArrayList<>();
        for (ThreadInfo t : threads.getThreadInfo(threads.getAllThreadIds())) {
            if (t != null && t.getThreadName().endsWith("-agent")) {
                found.add(t.getThreadId());
            }
        }
        return found;
    }
}
