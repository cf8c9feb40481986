package org.sluice.tcp.survive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.ChannelStats;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Striping;
import org.sluice.Transfer;
import org.sluice.testkit.FreePorts;

/** Two nodes of this process over loopback rails, with faults in the middle of chunks. */
class LinkSurvivalTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final byte[] SECRET = "correct horse battery".getBytes(StandardCharsets.UTF_8);
    private static final int REGION = 8 << 20;

    /** Both ends of a link, and their nodes. */
    private record Pair(Node server, Node client, Link in, Link out) implements AutoCloseable {
        static Pair of(UnaryOperator<NodeConfig.Builder> settings) throws Exception {
            NodeConfig config = settings.apply(NodeConfig.builder()
                            .backend("host")
                            .gpus(1)
                            .nics(List.of("lo1", "lo2", "lo3", "lo4"))
                            .chunkBytes(64 << 10)
                            .channels(4)
                            .portBase(FreePorts.block(1))
                            .deadline(Duration.ofSeconds(10)))
                    .build();
            Node server = Node.open(config);
            Node client = Node.open(config);
            try {
                server.bind();
                CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> server.accept(0));
                Link out = client.connect(0, "127.0.0.1");
                return new Pair(server, client, accepted.get(), out);
            } catch (Exception e) {
                server.close();
                client.close();
                throw e;
            }
        }

        long sum(java.util.function.ToLongFunction<ChannelStats> what) {
            return in.channels().stream().mapToLong(what).sum()
                    + out.channels().stream().mapToLong(what).sum();
        }

        @Override
        public void close() {
            client.close();
            server.close();
        }
    }

    /** Messages of random lengths both ways at once, every byte compared. */
    private static void converse(Pair pair, int rounds, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Region clientOut = pair.client().allocate(0, REGION);
        Region clientIn = pair.client().allocate(0, REGION);
        Region serverOut = pair.server().allocate(0, REGION);
        Region serverIn = pair.server().allocate(0, REGION);
        for (int i = 0; i < rounds; i++) {
            int there = random.nextInt(REGION + 1);
            int back = random.nextInt(REGION + 1);
            clientOut.fill(0, there, 2L * i);
            serverOut.fill(0, back, 2L * i + 1);
            List<Transfer> transfers = List.of(
                    pair.in().receive(serverIn, 0, there),
                    pair.out().receive(clientIn, 0, back),
                    pair.out().send(clientOut, 0, there),
                    pair.in().send(serverOut, 0, back));
            transfers.forEach(t -> t.await(LIMIT));
            assertThat(serverIn.mismatch(0, there, 2L * i)).isEqualTo(-1);
            assertThat(clientIn.mismatch(0, back, 2L * i + 1)).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"off", "aes-gcm"})
    void resetsInTheMiddleOfChunksLoseNothing(String encryption) throws Exception {
        try (Pair pair = Pair.of(
                c -> c.secret(SECRET).transportOptions(Map.of("encryption", encryption, "drill", "reset:60")))) {
            int rounds = 0;
            while (pair.sum(ChannelStats::reconnects) < 8) {
                converse(pair, 1, ++rounds);
            }
            assertThat(pair.sum(ChannelStats::retried)).isPositive();
        }
    }

    @Test
    void chunksThatComeTooLateHurtNobody() throws Exception {
        // half a chunk comes, the receiver gives the channel up after eight stall timeouts, the chunk comes elsewhere,
        // and then its other half is sent
        try (Pair pair =
                Pair.of(c -> c.stallTimeout(Duration.ofMillis(50)).transportOptions(Map.of("drill", "stall:150")))) {
            int rounds = 0;
            while (pair.sum(ChannelStats::reconnects) < 3) {
                converse(pair, 1, ++rounds);
            }
        }
    }

    @Test
    void threadsWithoutACpuAreNoDeadRail() throws Exception {
        // four threads that want each CPU all the time, beside the 64 of the channels
        AtomicBoolean over = new AtomicBoolean();
        int loops = 4 * Runtime.getRuntime().availableProcessors();
        List<Thread> busy = IntStream.range(0, loops)
                .mapToObj(i -> Thread.ofPlatform().daemon().name("busy-" + i).start(() -> {
                    while (!over.get()) {
                        Thread.onSpinWait();
                    }
                }))
                .toList();
        try (Pair pair = Pair.of(c -> c.channels(32).stallTimeout(Duration.ofMillis(200)))) {
            converse(pair, 20, 3);
            assertThat(pair.sum(ChannelStats::reconnects)).isZero();
            assertThat(pair.sum(ChannelStats::retried)).isZero();
        } finally {
            over.set(true);
            for (Thread t : busy) {
                t.join();
            }
        }
    }

    @Test
    void damagedChunksAreSentAgainAndCounted() throws Exception {
        try (Pair pair = Pair.of(c -> c.transportOptions(Map.of("checksum", "on", "drill", "damage:20")))) {
            converse(pair, 5, 1);
            assertThat(pair.sum(ChannelStats::damaged)).isPositive();
        }
    }

    @Test
    void roundRobinOutlivesItsRailsToo() throws Exception {
        try (Pair pair =
                Pair.of(c -> c.striping(Striping.ROUND_ROBIN).transportOptions(Map.of("drill", "reset:200")))) {
            int rounds = 0;
            while (pair.sum(ChannelStats::reconnects) < 1) {
                converse(pair, 1, ++rounds);
            }
        }
    }

    @Test
    void encryptionWithoutASecretIsRefusedWithAReason() {
        assertThatThrownBy(() -> Pair.of(c -> c.transportOptions(Map.of("encryption", "aes-gcm"))))
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("encrypted channels need a shared secret");
    }

    @Test
    void anEndedLinkIsLeftBehindAndANewOneMade() throws Exception {
        try (Pair pair = Pair.of(c -> c)) {
            for (int i = 0; i < 5; i++) {
                CompletableFuture<Link> accepted =
                        CompletableFuture.supplyAsync(() -> pair.server().accept(0));
                Link again = pair.client().connect(0, "127.0.0.1");
                converse(new Pair(pair.server(), pair.client(), accepted.get(), again), 1, i);
                again.close();
            }
            converse(pair, 1, 9); // the first is still there
        }
    }
}
