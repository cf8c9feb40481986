package org.sluice.bench;

import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Striping;
import org.sluice.Transfer;

/**
 * A chunk's whole way over kernel sockets: agents, I/O threads, control connections and the copies, two nodes in this JVM. The
 * allocation is of all threads, a transfer's few objects included, spread over its chunks.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class LinkBenchmark {
    private static final int CHUNKS = 2048;
    private static final long CHUNK_BYTES = 512 << 10;
    private static final Duration LIMIT = Duration.ofMinutes(1);

    @Param({"1", "4"})
    public int channels;

    @Param({"ADAPTIVE", "ROUND_ROBIN"})
    public Striping striping;

    private Node server;
    private Node client;
    private Link in;
    private Link out;
    private Region from;
    private Region to;

    @Setup
    public void connect() throws IOException {
        NodeConfig config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .nics(List.of("lo1", "lo2", "lo3", "lo4"))
                .channels(channels)
                .chunkBytes(CHUNK_BYTES)
                .striping(striping)
                .portBase(freePort())
                .build();
        server = Node.open(config);
        client = Node.open(config);
        server.bind();
        CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> server.accept(0));
        out = client.connect(0, "127.0.0.1");
        in = accepted.join();
        from = client.allocate(0, CHUNKS * CHUNK_BYTES);
        to = server.allocate(0, CHUNKS * CHUNK_BYTES);
        from.fill(0, from.size(), 1);
    }

    private static int freePort() throws IOException {
        try (ServerSocket s = new ServerSocket(0)) {
            return s.getLocalPort();
        }
    }

    @TearDown
    public void close() {
        client.close();
        server.close();
    }

    /** One transfer of 1 GiB. */
    @Benchmark
    @OperationsPerInvocation(CHUNKS)
    public void chunk() {
        Transfer received = in.receive(to, 0, to.size());
        Transfer sent = out.send(from, 0, from.size());
        received.await(LIMIT);
        sent.await(LIMIT);
    }
}
