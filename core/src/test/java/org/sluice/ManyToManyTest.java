package org.sluice;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Several nodes of several GPUs, all linked to all, and peers that leave and come back. {@code -Dsluice.churn.rounds=100} is the measured
 * run, {@code -Dsluice.churn.seed} another order.
 */
@Timeout(600)
final class ManyToManyTest {
    private static final int ROUNDS = Integer.getInteger("sluice.churn.rounds", 8);
    private static final long SEED = Long.getLong("sluice.churn.seed", 1);
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final long BYTES = 20_000;

    private final List<Member> members = new ArrayList<>();

    /** A node that listens; its links say by a note which they are, so that both ends of each are known. */
    private static final class Member {
        final int gpus;
        final Node node;
        final InetSocketAddress at;
        final BlockingQueue<Link> came = new LinkedBlockingQueue<>();

        Member(int gpus, InetSocketAddress place) {
            this.gpus = gpus;
            this.node = Node.open(NodeConfig.builder()
                    .backend("host")
                    .gpus(gpus)
                    .transport("memory")
                    .channels(2)
                    .chunkBytes(4096)
                    .deadline(SOON)
                    .build());
            node.onLink(came::add);
            this.at = node.listen(place);
        }

        String address() {
            return at.getAddress().getHostAddress() + ":" + at.getPort();
        }
    }

    private static InetSocketAddress anywhere() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private Member member(int gpus) {
        Member m = new Member(gpus, anywhere());
        members.add(m);
        return m;
    }

    @AfterEach
    void close() {
        members.forEach(m -> m.node.close());
    }

    private record Pair(int from, int gpu, int to, int peersGpu) {}

    private record Ends(Node out, Link link, Node in, Link came) {}

    /** Every GPU of each node to every GPU of each other, all asked for at once from all sides. */
    private List<Ends> linkAll(List<Member> nodes) throws InterruptedException {
        List<Pair> pairs = new ArrayList<>();
        for (int a = 0; a < nodes.size(); a++) {
            for (int b = 0; b < nodes.size(); b++) {
                for (int i = 0; a != b && i < nodes.get(a).gpus * nodes.get(b).gpus; i++) {
                    pairs.add(new Pair(a, i / nodes.get(b).gpus, b, i % nodes.get(b).gpus));
                }
            }
        }
        Map<Pair, Link> made = new HashMap<>();
        List<Link> links = pairs.parallelStream()
                .map(p -> nodes.get(p.from).node.peer(nodes.get(p.to).address()).link(p.gpu, p.peersGpu))
                .toList();
        IntStream.range(0, pairs.size()).forEach(i -> made.put(pairs.get(i), links.get(i)));
        return ends(nodes, made);
    }

    /** Finds the other end of each: told by what comes over it. */
    private static List<Ends> ends(List<Member> nodes, Map<Pair, Link> made) throws InterruptedException {
        Map<Long, Ends> open = new HashMap<>();
        List<Pair> order = List.copyOf(made.keySet());
        for (int i = 0; i < order.size(); i++) {
            made.get(order.get(i)).note(("" + i).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        for (int n = 0; n < nodes.size(); n++) {
            int own = n;
            long expected = order.stream().filter(p -> p.to == own).count();
            for (long i = 0; i < expected; i++) {
                Link in = nodes.get(n).came.poll(SOON.toSeconds(), TimeUnit.SECONDS);
                assertThat(in).as("a link that came to node %d", n).isNotNull();
                byte[] note = in.awaitNote(SOON);
                long which = Long.parseLong(new String(note, java.nio.charset.StandardCharsets.UTF_8));
                Pair p = order.get((int) which);
                assertThat(in.gpu()).isEqualTo(p.peersGpu);
                open.put(which, new Ends(nodes.get(p.from).node, made.get(p), nodes.get(n).node, in));
            }
        }
        assertThat(open).hasSize(order.size());
        return List.copyOf(open.values());
    }

    /** Bytes both ways on all links at once, every one compared. */
    private static void verifyAll(List<Ends> all, long seed) {
        List<Region> regions = new ArrayList<>();
        List<Transfer> transfers = new ArrayList<>();
        try {
            for (int i = 0; i < all.size(); i++) {
                Ends e = all.get(i);
                begin(e.out, e.link, e.in, e.came, seed + 2L * i, regions, transfers);
                begin(e.in, e.came, e.out, e.link, seed + 2L * i + 1, regions, transfers);
            }
            transfers.forEach(t -> t.await(SOON));
            for (int i = 1; i < regions.size(); i += 2) {
                assertThat(regions.get(i).mismatch(0, BYTES, seed + i / 2)).isEqualTo(-1);
            }
        } finally {
            regions.forEach(Region::close);
        }
    }

    private static void begin(
            Node from, Link out, Node to, Link in, long seed, List<Region> regions, List<Transfer> transfers) {
        Region source = from.allocate(out.gpu(), BYTES);
        Region target = to.allocate(in.gpu(), BYTES);
        regions.add(source);
        regions.add(target);
        source.fill(0, BYTES, seed);
        transfers.add(in.receive(target, 0, BYTES));
        transfers.add(out.send(source, 0, BYTES));
    }

    @Test
    @DisplayName("one GPU and eight, each way, links made by both sides at once")
    void eightAndOne() throws Exception {
        verifyAll(linkAll(List.of(member(1), member(8))), 1);
    }

    @Test
    @DisplayName("three GPUs and five, links made by both sides at once")
    void threeAndFive() throws Exception {
        verifyAll(linkAll(List.of(member(3), member(5))), 1);
    }

    @Test
    @DisplayName("four nodes of four GPUs, all to all, both ways at once")
    void fourNodes() throws Exception {
        List<Ends> all = linkAll(List.of(member(4), member(4), member(4), member(4)));
        assertThat(all).hasSize(4 * 3 * 16);
        verifyAll(all, 1);
    }

    @Test
    @DisplayName("peers leave and come back, in mid-transfer too, and nothing is left of them")
    void comingAndGoing() throws Exception {
        Random random = new Random(SEED);
        List<Member> nodes = new ArrayList<>(List.of(member(2), member(2), member(2)));
        int threads = -1;
        for (int round = 0; round < ROUNDS; round++) {
            List<Ends> all = linkAll(nodes);
            verifyAll(all, round * 1000L);
            int leaves = random.nextInt(nodes.size());
            Member gone = nodes.get(leaves);
            List<Region> regions = new ArrayList<>();
            List<Transfer> underWay = new ArrayList<>();
            for (Ends e : all) {
                begin(e.out, e.link, e.in, e.came, 7, regions, underWay);
            }
            gone.node.close();
            for (Transfer t : underWay) {
                assertThat(t.future().handle((done, why) -> true).get(SOON.toSeconds(), TimeUnit.SECONDS))
                        .as("it ends, well or not")
                        .isTrue();
            }
            regions.forEach(Region::close);
            for (Member m : nodes) {
                if (!m.equals(gone)) {
                    m.node.peer(gone.address()).close();
                }
            }
            for (Ends e : all) {
                if (e.out.equals(gone.node) || e.in.equals(gone.node)) {
                    assertThat(e.link.ended().get(SOON.toSeconds(), TimeUnit.SECONDS))
                            .isNotNull();
                    assertThat(e.came.ended().get(SOON.toSeconds(), TimeUnit.SECONDS))
                            .isNotNull();
                } else {
                    e.link.close();
                    assertThat(e.came.ended().get(SOON.toSeconds(), TimeUnit.SECONDS))
                            .isNotNull();
                }
            }
            nodes.forEach(m -> m.came.clear());
            Member back = new Member(gone.gpus, gone.at);
            members.remove(gone);
            members.add(back);
            nodes.set(leaves, back);
            int now = Thread.activeCount();
            threads = threads < 0 ? now : threads;
            assertThat(now).as("threads after round %d", round).isLessThanOrEqualTo(threads + 6);
        }
    }
}
