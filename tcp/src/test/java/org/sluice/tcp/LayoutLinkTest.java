package org.sluice.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.RemoteAccessException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferOptions;
import org.sluice.TransferRefusal;
import org.sluice.testkit.FreePorts;

/** Lists of pieces between two nodes of this process, over kernel sockets. */
class LayoutLinkTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int POOL = 4 << 20;

    private interface Job {
        void run(Node server, Node client, Link in, Link out);
    }

    private static void linked(Map<String, String> options, Job job) {
        NodeConfig config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .nics(List.of("lo1", "lo2"))
                .portBase(FreePorts.block(1))
                .secret("of the test".getBytes(java.nio.charset.StandardCharsets.UTF_8))
                .transportOptions(options)
                .chunkBytes(64 << 10)
                .deadline(Duration.ofSeconds(10))
                .build();
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            server.bind();
            CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> server.accept(0));
            Link out = client.connect(0, "127.0.0.1");
            job.run(server, client, accepted.join(), out);
        }
    }

    private static MemorySegment bytes(Region region) {
        return region.segment().orElseThrow();
    }

    private static Region region(Node node, long seed) {
        Region region = node.allocate(0, POOL);
        byte[] random = new byte[POOL];
        new Random(seed).nextBytes(random);
        bytes(region).copyFrom(MemorySegment.ofArray(random));
        return region;
    }

    private static int[] shuffled(int count, int of, long seed) {
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i < of; i++) {
            all.add(i);
        }
        Collections.shuffle(all, new Random(seed));
        return all.stream().limit(count).mapToInt(i -> i).toArray();
    }

    /** What the target must be: {@code blocks} of {@code size} taken from {@code from}, put to {@code to}, all else as it was. */
    private static byte[] expected(Region source, byte[] before, int size, int[] from, int[] to) {
        byte[] after = before.clone();
        for (int i = 0; i < from.length; i++) {
            MemorySegment.copy(bytes(source), ValueLayout.JAVA_BYTE, (long) from[i] * size, after, to[i] * size, size);
        }
        return after;
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "checksum=on", "encryption=aes-gcm", "checksum=on,drill=damage:10"})
    @DisplayName("blocks in any order at both ends arrive by write, read and send, and no other byte changes")
    void blocks(String options) {
        Map<String, String> map = new java.util.HashMap<>();
        Arrays.stream(options.split(","))
                .filter(o -> !o.isEmpty())
                .forEach(o -> map.put(o.substring(0, o.indexOf('=')), o.substring(o.indexOf('=') + 1)));
        linked(map, (server, client, in, out) -> {
            for (int size : new int[] {1, 100, 4096, 70_000}) {
                int of = POOL / size;
                int count = Math.min(of / 2, 3000);
                for (int op = 0; op < 3; op++) {
                    Region source = region(client, size);
                    Region target = region(server, size + 1);
                    byte[] before = bytes(target).toArray(ValueLayout.JAVA_BYTE);
                    int[] from = shuffled(count, of, size);
                    int[] to = shuffled(count, of, size + 7);
                    Layout local = Layout.blocks(source, 0, size, from);
                    Layout there = Layout.blocks(target, 0, size, to);
                    switch (op) {
                        case 0 ->
                            out.write(local, RemoteLayout.blocks(target.remoteKey(), 0, size, to), TransferOptions.NONE)
                                    .await(LIMIT);
                        case 1 ->
                            in.read(there, RemoteLayout.blocks(source.remoteKey(), 0, size, from), TransferOptions.NONE)
                                    .await(LIMIT);
                        default -> {
                            out.send(local, TransferOptions.NONE);
                            in.receive(there, TransferOptions.NONE).await(LIMIT);
                        }
                    }
                    assertThat(bytes(target).mismatch(MemorySegment.ofArray(expected(source, before, size, from, to))))
                            .as("first wrong byte of blocks of %d, by operation %d", size, op)
                            .isEqualTo(-1);
                }
            }
        });
    }

    @Test
    @DisplayName("a list over several regions is written to rows of a tensor")
    void reshaped() {
        linked(Map.of(), (server, client, in, out) -> {
            Region a = region(client, 1);
            Region b = region(client, 2);
            Region target = region(server, 3);
            byte[] before = bytes(target).toArray(ValueLayout.JAVA_BYTE);
            Layout.Builder list = Layout.list();
            byte[] stream = new byte[24 * 1000];
            int at = 0;
            for (int i = 0; at < stream.length; i++) {
                Region of = i % 3 == 0 ? a : b;
                int length = Math.min(stream.length - at, i % 50);
                list.add(of, i * 997L, length);
                MemorySegment.copy(bytes(of), ValueLayout.JAVA_BYTE, i * 997L, stream, at, length);
                at += length;
            }
            out.write(
                            list.build(),
                            RemoteLayout.strided(target.remoteKey(), 5, 100, 128, 60, 10_000, 4),
                            TransferOptions.NONE)
                    .await(LIMIT);
            for (int n = 0; n < 240; n++) {
                System.arraycopy(stream, n * 100, before, 5 + n / 60 * 10_000 + n % 60 * 128, 100);
            }
            assertThat(bytes(target).mismatch(MemorySegment.ofArray(before))).isEqualTo(-1);
        });
    }

    @Test
    @DisplayName("what is not inside, or overlaps where it is written, is refused at either end, and the link lives on")
    void refused() {
        linked(Map.of(), (server, client, in, out) -> {
            Region source = region(client, 1);
            Region target = region(server, 2);
            RemoteRegion key = target.remoteKey();
            Layout two = Layout.blocks(source, 0, 4096, 1, 2);
            refuses(out, two, RemoteLayout.blocks(key, 0, 4096, 5, 5), TransferRefusal.OVERLAP);
            refuses(out, two, RemoteLayout.blocks(key, 1, 4096, 0, POOL / 4096 - 1), TransferRefusal.BOUNDS);
            refuses(
                    out,
                    two,
                    RemoteLayout.list().add(key, 0, 4096).add(key, 4095, 4096).build(),
                    TransferRefusal.OVERLAP);
            refuses(out, two, RemoteLayout.blocks(new RemoteRegion(1, 2, POOL), 0, 4096, 5, 6), TransferRefusal.KEY);
            assertThatThrownBy(() -> in.receive(Layout.blocks(target, 0, 8, 3, 3), TransferOptions.NONE))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("overlap");
            assertThatThrownBy(() -> out.send(Layout.blocks(source, 0, 4096, POOL / 4096), TransferOptions.NONE))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            // read twice from one place is nobody's harm
            in.read(
                            Layout.range(target, 0, 8192),
                            RemoteLayout.blocks(source.remoteKey(), 0, 4096, 9, 9),
                            TransferOptions.NONE)
                    .await(LIMIT);
            assertThat(MemorySegment.mismatch(bytes(target), 4096, 8192, bytes(source), 9 * 4096, 10 * 4096))
                    .isEqualTo(-1);
        });
    }

    private static void refuses(Link link, Layout from, RemoteLayout to, TransferRefusal why) {
        assertThatThrownBy(() -> link.write(from, to, TransferOptions.NONE).await(LIMIT))
                .isInstanceOfSatisfying(
                        RemoteAccessException.class, e -> assertThat(e.reason()).isEqualTo(why));
    }

    @Test
    @DisplayName("120,000 pieces are one transfer")
    void many() {
        linked(Map.of(), (server, client, in, out) -> {
            int size = 16;
            int count = 120_000;
            Region source = region(client, 1);
            Region target = region(server, 2);
            byte[] before = bytes(target).toArray(ValueLayout.JAVA_BYTE);
            int[] from = shuffled(count, POOL / size, 3);
            int[] to = shuffled(count, POOL / size, 4);
            out.write(
                            Layout.blocks(source, 0, size, from),
                            RemoteLayout.blocks(target.remoteKey(), 0, size, to),
                            TransferOptions.NONE)
                    .await(LIMIT);
            assertThat(bytes(target).mismatch(MemorySegment.ofArray(expected(source, before, size, from, to))))
                    .isEqualTo(-1);
        });
    }
}
