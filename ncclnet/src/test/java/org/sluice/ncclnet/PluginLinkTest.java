package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.Striping;
import org.sluice.Transfer;
import org.sluice.testkit.FreePorts;

/** Two nodes of this process over a plugin, which counts every breach of its contract. */
@Timeout(60)
class PluginLinkTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @ParameterizedTest
    @ValueSource(ints = {5, 6, 7, 8, 9, 10, 11, 12})
    void everyVersionMovesBytes(int api) {
        FakePlugin plugin = FakePlugin.plain(api);
        move(plugin, plugin.node(FreePorts.block(1)).build());
    }

    @ParameterizedTest
    @CsvSource({"7,ADAPTIVE,page", "7,ROUND_ROBIN,page", "7,ADAPTIVE,odd", "12,ADAPTIVE,odd"})
    void unpackingVersionsMoveBytes(int api, Striping striping, String fragments) {
        FakePlugin plugin =
                FakePlugin.tcpx().option("plugin-api", String.valueOf(api)).set("FRAGMENTS", fragments);
        move(plugin, plugin.node(FreePorts.block(1)).striping(striping).build());
    }

    @Test
    void bothDirectionsAndAllGpusAtOnce() {
        FakePlugin plugin = FakePlugin.tcpx();
        move(plugin, plugin.node(FreePorts.block(3)).gpus(3).duplex(true).build());
    }

    @Test
    void aBusyPluginIsAskedAgain() {
        FakePlugin plugin = FakePlugin.plain(9).fault("isend:null=5@3,irecv:null=5@3");
        move(plugin, plugin.node(FreePorts.block(1)).build());
    }

    @Test
    void aLateAcceptIsWaitedForSideBySide() {
        FakePlugin plugin = FakePlugin.plain(8).set("ACCEPT_MS", "300");
        long start = System.nanoTime();
        move(plugin, plugin.node(FreePorts.block(1)).channels(16).build());
        // one after the other they would take 4.8 s
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofMillis(4500));
    }

    /** Both sides connect and accept on one thread each: nobody must wait in accept before its connects are through. */
    @Test
    void anAcceptThatWaitsForItsPeerDoesNotHoldUpTheConnects() {
        FakePlugin plugin = FakePlugin.plain(11).set("ACCEPT", "blocks");
        move(plugin, plugin.node(FreePorts.block(2)).gpus(2).duplex(true).build());
    }

    /** A sender that waited for a grant, and a receiver that granted only what it has posted, would wait for each other. */
    @ParameterizedTest
    @CsvSource({"ADAPTIVE,false", "ADAPTIVE,true", "ROUND_ROBIN,false"})
    void aConnectionThatIsReadyOnlyWhenBothEndsWereAskedIsAskedByBoth(Striping striping, boolean duplex) {
        FakePlugin plugin = FakePlugin.plain(11).set("READY", "meets");
        NodeConfig.Builder node = plugin.node(FreePorts.block(2)).gpus(2);
        move(plugin, node.striping(striping).duplex(duplex).build());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aCloseThatWaitsForThePeersIsMet(boolean duplex) {
        FakePlugin plugin = FakePlugin.plain(11).set("CLOSE", "meets");
        move(plugin, plugin.node(FreePorts.block(2)).gpus(2).duplex(duplex).build());
    }

    @Test
    void aBlockBeyondTwoGibibytesTakesSeveralRegistrations() {
        FakePlugin plugin = FakePlugin.plain(7);
        NodeConfig config = plugin.node(FreePorts.block(1)).chunkBytes(1 << 20).build();
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            List<Link> links = links(server, client);
            // only the pages that the transfers touch come into being
            long size = 5L << 30;
            Region from = client.allocate(0, size);
            Region to = server.allocate(0, size);
            for (long at : new long[] {0, (1L << 30) - 300_000, (2L << 30) - 4096, (4L << 30) - 1_000_000}) {
                long bytes = 2_000_000;
                from.fill(at & -8, bytes, 5);
                Transfer in = links.get(1).receive(to, at & -8, bytes);
                Transfer out = links.get(0).send(from, at & -8, bytes);
                in.await(LIMIT);
                out.await(LIMIT);
                assertThat(to.mismatch(at & -8, bytes, 5)).isEqualTo(-1);
            }
        }
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
    }

    /**
     * The client's links, then the server's.
     *
     * @throws LinkException saying why on either side: which of them has the fault, and which only sees the other go, is the
     *     test's to know, and whose word is first is chance
     */
    static List<Link> links(Node server, Node client) {
        server.bind();
        CompletableFuture<List<Link>> accepted = CompletableFuture.supplyAsync(() -> server.acceptAll(line -> {}));
        List<Link> all = new ArrayList<>();
        List<String> failures = new ArrayList<>();
        try {
            all.addAll(client.connectAll("127.0.0.1", line -> {}));
        } catch (SluiceException e) {
            failures.add(e.getMessage());
        }
        try {
            all.addAll(accepted.orTimeout(LIMIT.toSeconds(), TimeUnit.SECONDS).join());
        } catch (CompletionException e) {
            failures.add(String.valueOf(e.getCause().getMessage()));
        }
        if (!failures.isEmpty()) {
            throw new LinkException(String.join("\n", failures));
        }
        return all;
    }

    private static void move(FakePlugin plugin, NodeConfig config) {
        long chunk = config.link().chunkBytes();
        long[] lengths = {0, 1, chunk - 1, chunk, chunk + 1, 5_000_003};
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            List<Link> links = links(server, client);
            int gpus = client.gpus();
            List<Transfer> transfers = new ArrayList<>();
            List<Region> targets = new ArrayList<>();
            for (int g = 0; g < gpus; g++) {
                one(client, server, links.get(g), links.get(gpus + g), lengths, transfers, targets);
                if (config.link().duplex()) {
                    one(server, client, links.get(gpus + g), links.get(g), lengths, transfers, targets);
                }
            }
            transfers.forEach(t -> t.await(LIMIT));
            for (int i = 0; i < targets.size(); i++) {
                long length = lengths[i % lengths.length];
                assertThat(targets.get(i).mismatch(0, length, length))
                        .as("first wrong byte of %d", length)
                        .isEqualTo(-1);
            }
            assertThat(plugin.requests()).isPositive();
        }
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
        assertThat(plugin.undrained()).as("comms closed with requests").isZero();
        assertThat(plugin.openComms()).isZero();
    }

    private static void one(
            Node from, Node to, Link out, Link in, long[] lengths, List<Transfer> transfers, List<Region> targets) {
        for (long length : lengths) {
            Region source = from.allocate(out.gpu(), Math.max(length, 8));
            Region target = to.allocate(in.gpu(), Math.max(length, 8));
            source.fill(0, length, length);
            targets.add(target);
            transfers.add(in.receive(target, 0, length));
            transfers.add(out.send(source, 0, length));
        }
    }
}
