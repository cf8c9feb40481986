package org.sluice.ipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.CancelledException;
import org.sluice.DeadlineException;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.Node;
import org.sluice.Region;
import org.sluice.RemoteAccessException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.Transfer;
import org.sluice.TransferOptions;

/** Links on which the receiver pulls, between host GPUs; every byte compared, and none on a channel. */
@Timeout(120)
final class IpcLinkTest {
    private static final Duration LIMIT = TwoNodes.LIMIT;
    private static final int BLOCK = 4096;

    @Test
    void everyKindOfTransferIsPulledAndNothingGoesOverAChannel() throws Exception {
        try (TwoNodes n = new TwoNodes("ipc", "auto")) {
            assertThat(n.out.path().transport()).isEqualTo("ipc");
            assertThat(n.in.path().transport()).isEqualTo("ipc");
            long size = 20 << 20;
            try (Region source = n.client.allocate(0, size);
                    Region target = n.server.allocate(0, size)) {
                int seed = 0;
                for (long length : new long[] {4097, 5 << 20, size}) {
                    source.fill(0, size, ++seed);
                    Transfer receive = n.in.receive(target, 0, length);
                    n.out.send(source, 0, length).await(LIMIT);
                    receive.await(LIMIT);
                    assertThat(target.mismatch(0, length, seed)).isEqualTo(-1);

                    target.fill(0, size, ++seed);
                    n.out.read(source, 0, length, target.remoteKey(), 0).await(LIMIT);
                    assertThat(source.mismatch(0, length, seed)).isEqualTo(-1);

                    source.fill(0, size, ++seed);
                    n.out.write(source, 0, length, target.remoteKey(), 0).await(LIMIT);
                    assertThat(target.mismatch(0, length, seed)).isEqualTo(-1);
                }
                long moved = 4097 + (5 << 20) + size;
                assertThat(TwoNodes.bytes(n.out, "ipc", true)).isEqualTo(2 * moved);
                assertThat(TwoNodes.bytes(n.out, "ipc", false)).isEqualTo(moved);
                assertThat(TwoNodes.bytes(n.in, "ipc", false)).isEqualTo(2 * moved);
                assertThat(TwoNodes.bytes(n.out, "lo1", true) + TwoNodes.bytes(n.out, "lo1", false))
                        .isZero();
            }
        }
    }

    @Test
    void listsAreScatteredAtBothEnds() throws Exception {
        try (TwoNodes n = new TwoNodes("ipc", "ipc")) {
            int count = 5000;
            try (Region source = n.client.allocate(0, 2L * count * BLOCK);
                    Region target = n.server.allocate(0, 2L * count * BLOCK);
                    Region straight = n.server.allocate(0, (long) count * BLOCK)) {
                source.fill(0, source.size(), 7);
                int[] from = shuffled(2 * count, count, 1);
                int[] to = shuffled(2 * count, count, 2);
                RemoteLayout there = RemoteLayout.blocks(target.remoteKey(), 0, BLOCK, to);
                n.out.write(Layout.blocks(source, 0, BLOCK, from), there, TransferOptions.NONE)
                        .await(LIMIT);
                for (int i = 0; i < count; i++) {
                    assertThat(target.segment()
                                    .orElseThrow()
                                    .asSlice((long) to[i] * BLOCK, BLOCK)
                                    .mismatch(source.segment().orElseThrow().asSlice((long) from[i] * BLOCK, BLOCK)))
                            .isEqualTo(-1);
                }
                // a list into a range: as the stream has it
                Transfer receive = n.in.receive(Layout.range(straight, 0, straight.size()), TransferOptions.NONE);
                n.out.send(Layout.blocks(source, 0, BLOCK, from), TransferOptions.NONE)
                        .await(LIMIT);
                receive.await(LIMIT);
                for (int i = 0; i < count; i++) {
                    assertThat(straight.segment()
                                    .orElseThrow()
                                    .asSlice((long) i * BLOCK, BLOCK)
                                    .mismatch(source.segment().orElseThrow().asSlice((long) from[i] * BLOCK, BLOCK)))
                            .isEqualTo(-1);
                }
                assertThat(TwoNodes.bytes(n.in, "ipc", false)).isEqualTo(2L * count * BLOCK);
            }
        }
    }

    private static int[] shuffled(int of, int count, long seed) {
        return new Random(seed).ints(0, of).distinct().limit(count).toArray();
    }

    @Test
    void notificationsComeAfterTheBytes() throws Exception {
        try (TwoNodes n = new TwoNodes("ipc", "ipc");
                Region source = n.client.allocate(0, 1 << 20);
                Region target = n.server.allocate(0, 1 << 20)) {
            for (int i = 1; i <= 20; i++) {
                source.fill(0, source.size(), i);
                byte[] note = ("block " + i).getBytes(StandardCharsets.UTF_8);
                Transfer write = n.out.write(
                        Layout.range(source, 0, source.size()),
                        RemoteLayout.all(target.remoteKey()),
                        TransferOptions.notifying(note));
                assertThat(n.in.nextNotification().get(20, TimeUnit.SECONDS).bytes())
                        .isEqualTo(note);
                assertThat(target.mismatch(0, target.size(), i)).isEqualTo(-1);
                write.await(LIMIT);
            }
        }
    }

    @Test
    void cancelsDeadlinesAndRightsHold() throws Exception {
        try (TwoNodes n = new TwoNodes("ipc", "ipc");
                Region source = n.client.allocate(0, 1 << 20);
                Region target = n.server.allocate(0, 1 << 20)) {
            Transfer unmet = n.out.send(source, 0, source.size());
            unmet.cancel();
            assertThatThrownBy(() -> unmet.await(LIMIT)).isInstanceOf(CancelledException.class);
            assertThatThrownBy(() -> n.in.receive(target, 0, source.size()).await(LIMIT))
                    .isInstanceOf(CancelledException.class);

            Transfer late = n.out.send(
                    Layout.range(source, 0, source.size()), TransferOptions.NONE.deadline(Duration.ofMillis(50)));
            assertThatThrownBy(() -> late.await(LIMIT)).isInstanceOf(DeadlineException.class);
            assertThatThrownBy(() -> n.in.receive(target, 0, source.size()).await(LIMIT))
                    .isInstanceOf(DeadlineException.class);

            RemoteRegion readOnly = target.share(org.sluice.Access.READ);
            assertThatThrownBy(
                            () -> n.out.write(source, 0, 1 << 20, readOnly, 0).await(LIMIT))
                    .isInstanceOf(RemoteAccessException.class);
            assertThatThrownBy(() -> n.out.write(source, 0, 1 << 20, target.remoteKey(), 1)
                            .await(LIMIT))
                    .isInstanceOf(RemoteAccessException.class);
            target.fill(0, target.size(), 5);
            n.out.read(source, 0, 1 << 20, readOnly, 0).await(LIMIT);
            assertThat(source.mismatch(0, source.size(), 5)).isEqualTo(-1);
            target.withdraw(readOnly, LIMIT);
            assertThatThrownBy(() -> n.out.read(source, 0, 1 << 20, readOnly, 0).await(LIMIT))
                    .isInstanceOf(RemoteAccessException.class);
        }
    }

    @Test
    void whatCannotBeSharedGoesOverTheNetworkUnlessPullingIsDemanded() throws Exception {
        try (TwoNodes n = new TwoNodes("ipc", "auto");
                Region mine = n.client.allocate(0, 2 << 20);
                Region target = n.server.allocate(0, 1 << 20)) {
            mine.fill(0, mine.size(), 3);
            // the program's own memory, for all that the node knows
            try (Region adopted = n.client.adopt(0, mine.address(), 1 << 20)) {
                n.out.write(adopted, 0, 1 << 20, target.remoteKey(), 0).await(LIMIT);
                assertThat(target.mismatch(0, target.size(), 3)).isEqualTo(-1);
                assertThat(TwoNodes.bytes(n.out, "lo1", true)).isEqualTo(1 << 20);
                assertThat(TwoNodes.bytes(n.out, "ipc", true)).isZero();
            }
            try (Region adopted = n.server.adopt(0, target.address(), 1 << 20)) {
                assertThatThrownBy(() -> n.in.write(adopted, 0, 1 << 20, mine.remoteKey(), 0)
                                .await(LIMIT))
                        .isInstanceOf(LinkException.class)
                        .hasMessageContaining("cannot be shared");
            }
        }
    }

    @Test
    void socketsAreUsedWhereEitherSideWantsThem() throws Exception {
        try (TwoNodes n = new TwoNodes("tcp", "auto")) {
            assertThat(n.out.path().transport()).isEqualTo("tcp");
            assertThat(n.out.path().why()).contains("told to use tcp");
            assertThat(n.in.path().transport()).isEqualTo("tcp");
        }
        assertThatThrownBy(() -> new TwoNodes("tcp", "ipc").close())
                .isInstanceOf(LinkException.class)
                .hasMessageContaining("demanded");
    }

    @Test
    void linksOfOneNodeGoDifferentWays() throws Exception {
        try (TwoNodes near = new TwoNodes("auto", "auto");
                Node sockets = Node.open(TwoNodes.config("tcp").build())) {
            BlockingQueue<Link> links = new LinkedBlockingQueue<>();
            sockets.onLink(links::add);
            int port = sockets.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                    .getPort();
            Link other = near.client.peer("127.0.0.1:" + port).link(0, 0);
            assertThat(other.path().transport()).isEqualTo("tcp");
            assertThat(near.out.path().transport()).isEqualTo("ipc");
            int bytes = 3 << 20;
            try (Region source = near.client.allocate(0, bytes);
                    Region pulled = near.server.allocate(0, bytes);
                    Region sent = sockets.allocate(0, bytes)) {
                source.fill(0, bytes, 17);
                Transfer one = near.out.write(source, 0, bytes, pulled.remoteKey(), 0);
                Transfer two = other.write(source, 0, bytes, sent.remoteKey(), 0);
                one.await(LIMIT);
                two.await(LIMIT);
                assertThat(pulled.mismatch(0, bytes, 17)).isEqualTo(-1);
                assertThat(sent.mismatch(0, bytes, 17)).isEqualTo(-1);
            }
            assertThat(TwoNodes.bytes(near.out, "ipc", true)).isEqualTo(bytes);
            assertThat(TwoNodes.bytes(near.out, "lo1", true)).isZero();
            assertThat(TwoNodes.bytes(other, "lo1", true)).isEqualTo(bytes);
            assertThat(other.channels()).noneMatch(c -> c.nic().equals("ipc"));
        }
    }

    @Test
    void nothingStaysMappedAndNoDirectoryIsLeft() throws Exception {
        long before = mappings("memfd:sluice");
        try (TwoNodes n = new TwoNodes("ipc", "ipc")) {
            for (int i = 0; i < 20; i++) {
                try (Region source = n.client.allocate(0, 1 << 20);
                        Region target = n.server.allocate(0, 1 << 20)) {
                    // the write's end says that the owner has heard of the read's
                    n.out.read(source, 0, 1 << 20, target.remoteKey(), 0).await(LIMIT);
                    n.out.write(source, 0, 1 << 20, target.remoteKey(), 0).await(LIMIT);
                }
            }
            // a probe of each side, and what the other has open of none
            assertThat(mappings("memfd:sluice-region")).isLessThanOrEqualTo(2);
        }
        assertThat(mappings("memfd:sluice")).isEqualTo(before);
    }

    private static long mappings(String of) throws Exception {
        return Files.readAllLines(Path.of("/proc/self/maps")).stream()
                .filter(l -> l.contains(of))
                .count();
    }

    @Test
    void manyTransfersAtOnceTakeTurns() throws Exception {
        try (TwoNodes n = new TwoNodes("ipc", "ipc");
                Region source = n.client.allocate(0, 64 << 20);
                Region target = n.server.allocate(0, 64 << 20)) {
            source.fill(0, source.size(), 11);
            Transfer large = n.out.write(source, 0, 63 << 20, target.remoteKey(), 0);
            var small = IntStream.range(0, 64)
                    .mapToObj(i -> n.out.write(
                            source, (63L << 20) + i * 16384L, 16384, target.remoteKey(), (63L << 20) + i * 16384L))
                    .toList();
            small.forEach(t -> t.await(LIMIT));
            large.await(LIMIT);
            assertThat(target.mismatch(0, target.size(), 11)).isEqualTo(-1);
        }
    }
}
