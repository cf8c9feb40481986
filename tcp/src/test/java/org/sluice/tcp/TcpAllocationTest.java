package org.sluice.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Striping;
import org.sluice.Transfer;
import org.sluice.testkit.FreePorts;

/** The whole data path, from one node's region over sockets into another's, allocates nothing for a chunk once it is warm. */
@Timeout(150)
class TcpAllocationTest {
    private static final int CHANNELS = 4;
    private static final int CHUNK = 4096;
    private static final int CHUNKS = 20_000;
    private static final Duration LIMIT = Duration.ofSeconds(30);

    /** Calls into native code allocate until the JVM's second compiler has seen them, which a busy machine makes it wait for. */
    private static final Duration WARM_UP = Duration.ofMinutes(2);

    /** One transfer that happens to allocate nothing is not a steady state. */
    private static final int CALM = 3;

    /** Agents and the transport's threads; those of both nodes have the same names. */
    private static final Pattern MOVES_BYTES = Pattern.compile("gpu\\d+-agent|lo\\d-(tx|rx)-.*");

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @EnumSource(Striping.class)
    void aChunkOfAWarmLinkAllocatesNothing(Striping striping) throws Exception {
        NodeConfig config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .nics(List.of("lo1", "lo2"))
                .portBase(FreePorts.block(1))
                .channels(CHANNELS)
                .chunkBytes(CHUNK)
                .striping(striping)
                .instrumented(true)
                .build();
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            server.bind();
            CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> server.accept(0));
            Link out = client.connect(0, "127.0.0.1");
            Link in = accepted.get();
            long size = (long) CHUNK * CHUNKS;
            Region from = client.allocate(0, size);
            Region to = server.allocate(0, size);
            from.fill(0, size, 1);
            long end = System.nanoTime() + WARM_UP.toNanos();
            int calm = 0;
            Map<String, Long> last = Map.of();
            while (calm < CALM && System.nanoTime() < end) {
                Map<String, Long> before = allocated();
                Transfer received = in.receive(to, 0, size);
                out.send(from, 0, size).await(LIMIT);
                received.await(LIMIT);
                last = since(before);
                // 16 bytes is the least that an object has: this is less than one for a hundred chunks, and a transfer
                // has its own
                calm = last.values().stream().mapToLong(Long::longValue).sum() < CHUNKS * 16 / 100 ? calm + 1 : 0;
            }
            assertThat(calm)
                    .as("bytes by thread in the last transfer of %d chunks: %s", CHUNKS, last)
                    .isEqualTo(CALM);
            int most = Math.max(TcpTransport.LEAST_THREADS, Runtime.getRuntime().availableProcessors());
            assertThat(last)
                    .as("threads")
                    .hasSize(2 + 2 * 2 * Math.min(CHANNELS, most)); // agents, and of each node both directions
            assertThat(to.mismatch(0, size, 1)).isEqualTo(-1);
        }
    }

    /** By thread. */
    private static Map<String, Long> allocated() {
        Map<String, Long> all = new TreeMap<>();
        for (ThreadInfo t : THREADS.getThreadInfo(THREADS.getAllThreadIds())) {
            if (t != null && MOVES_BYTES.matcher(t.getThreadName()).matches()) {
                all.put(t.getThreadName() + " #" + t.getThreadId(), THREADS.getThreadAllocatedBytes(t.getThreadId()));
            }
        }
        return all;
    }

    private static Map<String, Long> since(Map<String, Long> before) {
        Map<String, Long> now = allocated();
        now.keySet().retainAll(before.keySet());
        now.replaceAll((thread, bytes) -> bytes - before.getOrDefault(thread, 0L));
        return now;
    }
}
