package org.sluice.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.rendezvous.Group;
import org.sluice.rendezvous.GroupConfig;
import org.sluice.rendezvous.Launch;
import org.sluice.rendezvous.MeetingPlace;

/** Many nodes in one process, over loopback. {@code -Dsluice.matrix.nodes=64} for more of them than a build has time for. */
@Timeout(580)
class HarnessTest {
    private static final int NODES = Integer.getInteger("sluice.matrix.nodes", 9);
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @Test
    void everyDirectionIsMeasuredAndComparedInAsFewRoundsAsThereCanBe() throws Exception {
        Plan plan = new Plan(Duration.ofMillis(40), Plan.LEAST_SIZE, 1, NODES <= 16);
        Referee referee = new Referee(plan, false, null, line -> {});
        List<Node> nodes = new ArrayList<>();
        long begun = System.nanoTime();
        MatrixReport report;
        try (ExecutorService threads = Executors.newThreadPerTaskExecutor(
                        Thread.ofPlatform().name("rank-", 0).factory());
                MeetingPlace place = MeetingPlace.open(group(0, 0), referee)) {
            List<CompletableFuture<Order>> ends = new ArrayList<>();
            for (int r = 0; r < NODES; r++) {
                Node node = Node.open(NodeConfig.builder()
                        .backend("host")
                        .gpus(1)
                        .nics(List.of("lo1"))
                        .channels(1)
                        .chunkBytes(16 << 10)
                        .deadline(PATIENCE)
                        .peerTimeout(PATIENCE) // so many threads on so few cores
                        .duplex(true)
                        .note(Inbox.note(r))
                        .build());
                nodes.add(node);
                int rank = r;
                ends.add(CompletableFuture.supplyAsync(() -> run(node, rank, place.port()), threads));
            }
            ends.forEach(e -> assertThat(e.join().status()).isZero());
            report = referee.report();
        } finally {
            nodes.forEach(Node::close);
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        System.out.printf(
                "%d nodes: %d rounds in %.1f s, %.0f ms a round%n",
                NODES, report.rounds(), seconds, 1e3 * seconds / report.rounds());
        assertThat(report.rounds()).isEqualTo(NODES % 2 == 0 ? NODES - 1 : NODES);
        assertThat(report.ways())
                .hasSize(NODES * (NODES - 1))
                .allMatch(w -> w.failure().isEmpty() && w.verified() > 0);
        assertThat(report.bytesWrong()).isZero();
        assertThat(report.pass()).isTrue();
        if (plan.all()) {
            assertThat(report.underLoad()).isNotNull();
            assertThat(report.underLoad().ways())
                    .hasSize(NODES * (NODES - 1))
                    .allMatch(w -> w.failure().isEmpty());
        }
    }

    private static GroupConfig group(int rank, int port) {
        return new GroupConfig(
                new Launch(rank, NODES, "127.0.0.1", port, "", "test"),
                new byte[0],
                Optional.empty(),
                PATIENCE,
                PATIENCE);
    }

    private static Order run(Node node, int rank, int port) {
        int own = node.listen(new InetSocketAddress("127.0.0.1", 0)).getPort();
        try (Group group = Group.join(group(rank, port), "node-" + rank, "", own)) {
            return new Player(node, group)
                    .play(new MatrixReport.Member(rank, "node-" + rank, "host", "host", 1, List.of("lo1")));
        }
    }
}
