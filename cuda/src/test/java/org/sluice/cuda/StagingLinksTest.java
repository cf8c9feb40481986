package org.sluice.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Transfer;
import org.sluice.testkit.CProgram;
import org.sluice.testkit.FakeCuda;

/** Many links of one GPU share its pinned slots: the fake driver's GPUs, nodes in one process, kernel sockets. */
class StagingLinksTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int CHUNK = 64 << 10;
    private static final long BYTES = 16 * CHUNK + 5;

    private static FakeCuda fake;

    private final List<Node> nodes = new ArrayList<>();
    private final List<BlockingQueue<Link>> came = new ArrayList<>();
    private final List<String> addresses = new ArrayList<>();

    @BeforeAll
    static void build() throws IOException {
        assumeTrue(CProgram.canBuild(), "no gcc to build the fake driver with");
        Path library = Path.of(System.getenv(CudaLibrary.VARIABLE));
        fake = FakeCuda.load(Files.createDirectories(library.getParent()));
        fake.set("FAKE_CUDA_DELAY_US", 30);
    }

    /** Nodes of one GPU each, with no more than four slots in each direction. */
    private void open(int count) {
        for (int n = 0; n < count; n++) {
            Node node = Node.open(NodeConfig.builder()
                    .gpus(1)
                    .nics(List.of("lo1", "lo2"))
                    .channels(3)
                    .chunkBytes(CHUNK)
                    .stagingBytes(4 * CHUNK)
                    .note(new byte[] {(byte) n})
                    .deadline(LIMIT)
                    .peerTimeout(LIMIT)
                    .stallTimeout(LIMIT) // a peer that is slow to send is what this is about
                    .build());
            assertThat(node.backend()).isEqualTo("cuda");
            BlockingQueue<Link> incoming = new LinkedBlockingQueue<>();
            node.onLink(incoming::add);
            InetSocketAddress bound = node.listen(new InetSocketAddress("127.0.0.1", 0));
            nodes.add(node);
            came.add(incoming);
            addresses.add("127.0.0.1:" + bound.getPort());
        }
    }

    /** The end at {@code to} of the link that {@code from} has just made. */
    private Link cameFrom(int from, int to) throws InterruptedException {
        Link link = came.get(to).poll(LIMIT.toSeconds(), TimeUnit.SECONDS);
        if (link == null) {
            throw new AssertionError("no link came from " + from + " to " + to);
        }
        assertThat(link.offeredNote()).containsExactly(from);
        return link;
    }

    @AfterEach
    void nothingIsLeftAndNothingWasBroken() {
        nodes.forEach(Node::close);
        assertThat(fake.breach()).isEmpty();
        assertThat(fake.live()).isEmpty();
    }

    /** One transfer between two nodes, and where its bytes come to lie. */
    private record Move(Transfer send, Transfer receive, Region source, Region target, long seed) {
        void check() {
            receive.await(LIMIT);
            send.await(LIMIT);
            assertThat(target.mismatch(0, BYTES, seed)).as("first wrong byte").isEqualTo(-1);
            source.close();
            target.close();
        }
    }

    private Move move(int from, Link out, int to, Link in, long seed) {
        Region source = nodes.get(from).allocate(0, BYTES);
        Region target = nodes.get(to).allocate(0, BYTES);
        source.fill(0, BYTES, seed);
        Transfer receive = in.receive(target, 0, BYTES);
        return new Move(out.send(source, 0, BYTES), receive, source, target, seed);
    }

    @Test
    @DisplayName("four nodes send to each other both ways at once, with four slots each way, and all of it arrives")
    void allToAll() throws Exception {
        open(4);
        @Nullable Link[][] ends = new Link[4][4];
        for (int a = 0; a < 4; a++) {
            for (int b = a + 1; b < 4; b++) {
                ends[a][b] = nodes.get(a).peer(addresses.get(b)).link(0, 0);
                ends[b][a] = cameFrom(a, b);
            }
        }
        List<Move> moves = new ArrayList<>();
        for (int round = 0; round < 8; round++) {
            for (int a = 0; a < 4; a++) {
                for (int b = 0; b < 4; b++) {
                    if (a != b) {
                        moves.add(move(a, ends[a][b], b, ends[b][a], moves.size()));
                    }
                }
            }
        }
        moves.forEach(Move::check);
    }

    @Test
    @DisplayName("a peer that takes grants and does not send keeps nobody else from sending, and may send in the end")
    void silent() throws Exception {
        open(4);
        List<Link> out = new ArrayList<>();
        List<Link> in = new ArrayList<>();
        for (int n = 1; n < 4; n++) {
            out.add(nodes.get(n).peer(addresses.getFirst()).link(0, 0));
            in.add(cameFrom(n, 0));
        }
        CountDownLatch stuck = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (Region few = nodes.get(1).allocate(0, 8);
                Region there = nodes.get(0).allocate(0, 8)) {
            // what hangs on a transfer's end runs on its agent: announced is the next one, and sent is nothing of it
            Transfer first = out.getFirst().send(few, 0, 8);
            first.future().thenRun(() -> {
                stuck.countDown();
                try {
                    assertThat(goOn.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            Region source = nodes.get(1).allocate(0, BYTES);
            source.fill(0, BYTES, 99);
            Transfer late = out.getFirst().send(source, 0, BYTES);
            in.getFirst().receive(there, 0, 8).await(LIMIT);
            assertThat(stuck.await(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
            Region target = nodes.get(0).allocate(0, BYTES);
            Transfer lateHere = in.getFirst().receive(target, 0, BYTES);
            List<Move> others = new ArrayList<>();
            for (int round = 0; round < 10; round++) {
                for (int n = 1; n < 3; n++) {
                    others.add(move(n + 1, out.get(n), 0, in.get(n), round));
                }
            }
            others.forEach(Move::check);
            assertThat(lateHere.isDone()).isFalse();
            goOn.countDown();
            new Move(late, lateHere, source, target, 99).check();
        } finally {
            goOn.countDown();
        }
    }
}
