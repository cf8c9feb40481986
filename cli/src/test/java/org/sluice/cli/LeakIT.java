package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Transfer;
import org.sluice.cli.common.FreePorts;

/** Many small transfers on one link, over the real transport, leave nothing behind. */
class LeakIT {
    private static final int TRANSFERS = 10_000;
    private static final int WARM_UP = 5_000;
    private static final Duration LIMIT = Duration.ofSeconds(30);

    /** Heap that the collector has not given back yet, and thread-local buffers; one leaked chunk a transfer would be 40 MiB. */
    private static final long RESIDENT_SLACK = 16 << 20;

    private static long descriptors() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.count();
        }
    }

    private static long residentBytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(l -> l.startsWith("VmRSS:"))
                .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) << 10)
                .sum();
    }

    private static long sluiceThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.getName().matches("(gpu|lo|bootstrap|peer).*"))
                .count();
    }

    private static void move(Link from, Link to, Region source, Region target, int count) {
        for (int i = 0; i < count; i++) {
            Transfer in = to.receive(target, 0, 4096);
            from.send(source, 0, 4096).await(LIMIT);
            in.await(LIMIT);
        }
    }

    /** Moves so many on a link between two nodes of their own, and closes it all. */
    private static void onALink(NodeConfig config, int count) throws Exception {
        try (Node receiver = Node.open(config);
                Node sender = Node.open(config)) {
            receiver.bind();
            CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> receiver.accept(0));
            Link out = sender.connect(0, "127.0.0.1");
            Link in = accepted.get();
            Region source = sender.allocate(0, 4096);
            Region target = receiver.allocate(0, 4096);
            move(out, in, source, target, WARM_UP);
            System.gc();
            long descriptors = descriptors();
            long threads = sluiceThreads();
            long resident = residentBytes();

            move(out, in, source, target, count);

            System.gc();
            assertThat(descriptors()).isEqualTo(descriptors);
            assertThat(sluiceThreads()).isEqualTo(threads);
            assertThat(residentBytes() - resident).isLessThan(RESIDENT_SLACK);
        }
    }

    @Test
    void tenThousandTransfersOnOneLink() throws Exception {
        NodeConfig config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .nics(List.of("lo1", "lo2"))
                .portBase(FreePorts.inARow(1))
                .build();
        onALink(config, 1); // what the JVM itself opens once: selectors of virtual threads, random devices
        long descriptors = descriptors();
        long threads = sluiceThreads();

        onALink(config, TRANSFERS);

        assertThat(descriptors()).isEqualTo(descriptors);
        assertThat(sluiceThreads()).isEqualTo(threads);
    }
}
