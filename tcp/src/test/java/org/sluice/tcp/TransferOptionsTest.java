package org.sluice.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.Access;
import org.sluice.CancelledException;
import org.sluice.DeadlineException;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Notification;
import org.sluice.Region;
import org.sluice.RemoteAccessException;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.Transfer;
import org.sluice.TransferOptions;
import org.sluice.TransferRefusal;
import org.sluice.testkit.FreePorts;

/** Notifications, tags, cancelling, deadlines and rights, between two nodes of this process over kernel sockets. */
class TransferOptionsTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final long SIZE = 32 << 20;

    private interface Job {
        void run(Node server, Node client, Link in, Link out) throws Exception;
    }

    private static void linked(Map<String, String> options, Job job) throws Exception {
        NodeConfig config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .nics(List.of("lo1", "lo2"))
                .portBase(FreePorts.block(1))
                .secret("of the test".getBytes(StandardCharsets.UTF_8))
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

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"off", "aes-gcm"})
    @DisplayName(
            "the target's program is told once the bytes are there, for writes, reads, sends and messages of no bytes")
    void notifications(String encryption) throws Exception {
        linked(Map.of("encryption", encryption), (server, client, in, out) -> {
            Region source = client.allocate(0, SIZE);
            Region target = server.allocate(0, SIZE);
            for (long length : new long[] {0, 1, 4096, 100_000, SIZE}) {
                source.fill(0, SIZE, length);
                CompletableFuture<Notification> next = in.nextNotification();
                out.write(
                        Layout.range(source, 0, length),
                        RemoteLayout.range(target.remoteKey(), 0, length),
                        TransferOptions.notifying(bytes("write of " + length)));
                Notification told = next.get(30, TimeUnit.SECONDS);
                assertThat(told.bytes()).isEqualTo(bytes("write of " + length));
                assertThat(told.length()).isEqualTo(length);
                assertThat(target.mismatch(0, length, length)).isEqualTo(-1);
            }
            // the one whose memory is read is told
            Transfer read = in.read(
                    Layout.range(target, 0, 5000),
                    RemoteLayout.range(source.remoteKey(), 0, 5000),
                    TransferOptions.notifying(bytes("read")));
            assertThat(out.nextNotification().get(30, TimeUnit.SECONDS).bytes()).isEqualTo(bytes("read"));
            read.await(LIMIT);
            // by a listener, in whatever order they land, more of them than there is credit for
            LinkedBlockingQueue<Integer> lengths = new LinkedBlockingQueue<>();
            in.onNotification(n -> lengths.add(n.bytes().length));
            List<Transfer> all = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                in.receive(target, i, 1);
                all.add(out.send(Layout.range(source, i, 1), TransferOptions.notifying(new byte[65_436 + i])));
            }
            boolean[] told = new boolean[100];
            for (int i = 0; i < 100; i++) {
                Integer length = lengths.poll(30, TimeUnit.SECONDS);
                assertThat(length).isNotNull();
                assertThat(told[length - 65_436]).isFalse();
                told[length - 65_436] = true;
            }
            all.forEach(t -> t.await(LIMIT));
        });
    }

    @Test
    @DisplayName("tagged sends meet the receives of their tag, whatever the order")
    void tags() throws Exception {
        linked(Map.of(), (server, client, in, out) -> {
            Region source = client.allocate(0, 1 << 20);
            Region target = server.allocate(0, 1 << 20);
            source.fill(0, 1 << 20, 5);
            List<Transfer> all = new ArrayList<>();
            for (int tag = 0; tag < 16; tag++) {
                all.add(out.send(Layout.range(source, tag << 16, 1 << 16), TransferOptions.tagged(tag)));
            }
            for (int tag = 15; tag >= 0; tag--) {
                all.add(in.receive(Layout.range(target, tag << 16, 1 << 16), TransferOptions.tagged(tag)));
            }
            all.forEach(t -> t.await(LIMIT));
            assertThat(target.mismatch(0, 1 << 20, 5)).isEqualTo(-1);
        });
    }

    @Test
    @DisplayName("a cancelled transfer ends at both sides at whatever moment, and the others and the link live on")
    void cancel() throws Exception {
        linked(Map.of(), (server, client, in, out) -> {
            Region source = client.allocate(0, SIZE);
            Region target = server.allocate(0, SIZE);
            source.fill(0, SIZE, 1);
            for (int i = 0; i < 40; i++) {
                Transfer send = out.send(source, 0, SIZE);
                Transfer receive = in.receive(target, 0, SIZE);
                Transfer other = in.read(target, 0, 1000, source.remoteKey(), 0);
                TimeUnit.MICROSECONDS.sleep(i * 200L);
                (i % 2 == 0 ? send : receive).cancel();
                boolean sent = succeeded(send);
                assertThat(succeeded(receive)).isEqualTo(sent);
                other.await(LIMIT);
            }
            // one that has no partner yet
            Transfer lonely = out.send(source, 0, 10);
            lonely.cancel();
            assertThat(succeeded(lonely)).isFalse();
            assertThat(succeeded(in.receive(target, 0, 10))).isFalse();
            Transfer waiting = in.receive(target, 0, 10);
            waiting.cancel();
            assertThat(succeeded(waiting)).isFalse();
            assertThat(succeeded(out.send(source, 0, 10))).isFalse();
            Transfer last = in.receive(target, 0, SIZE);
            out.send(source, 0, SIZE).await(LIMIT);
            last.await(LIMIT);
            assertThat(target.mismatch(0, SIZE, 1)).isEqualTo(-1);
            source.close();
            target.close();
        });
    }

    @Test
    @DisplayName("small sends and notifications that are cancelled before anybody receives them give their room back")
    void cancelledSmall() throws Exception {
        linked(Map.of(), (server, client, in, out) -> {
            Region source = client.allocate(0, 4096);
            Region target = server.allocate(0, 4096);
            TransferOptions noted = TransferOptions.notifying(new byte[4096]);
            for (int i = 0; i < 1000; i++) { // four times the room that there is, of both
                Transfer send = out.send(Layout.all(source), i % 2 == 0 ? TransferOptions.NONE : noted);
                send.cancel();
                assertThat(succeeded(send)).isFalse();
            }
            assertThat(succeeded(in.receive(target, 0, 4096))).isFalse();
            assertThat(out.ended()).isNotDone();
            source.close();
            target.close();
        });
    }

    /** What a process holds besides garbage. */
    private record Held(long heap, long descriptors, long threads) {
        static Held now() throws Exception {
            long least = Long.MAX_VALUE;
            for (int i = 0; i < 3; i++) {
                System.gc();
                Runtime r = Runtime.getRuntime();
                least = Math.min(least, r.totalMemory() - r.freeMemory());
                TimeUnit.MILLISECONDS.sleep(20); // reference processing has a thread of its own
            }
            try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"));
                    Stream<Path> threads = Files.list(Path.of("/proc/self/task"))) {
                return new Held(least, open.count(), threads.count());
            }
        }
    }

    @Test
    @DisplayName("ten thousand cancelled transfers leave nothing behind")
    void cancelsLeakNothing() throws Exception {
        linked(Map.of(), (server, client, in, out) -> {
            int atOnce = 40;
            long bytes = 256 << 10;
            Region source = client.allocate(0, bytes * atOnce);
            Region target = server.allocate(0, bytes * atOnce);
            SplittableRandom random = new SplittableRandom(1);
            Held before = null;
            int cancelled = 0;
            for (int n = 0; n < 10_000 / atOnce; n++) {
                List<Transfer> all = new ArrayList<>();
                for (int i = 0; i < atOnce; i++) {
                    long at = i * bytes;
                    long length = random.nextInt(4) == 0 ? random.nextInt(4096) : 1 + random.nextLong(bytes);
                    switch (random.nextInt(3)) {
                        case 0 -> all.add(out.write(source, at, length, target.remoteKey(), at));
                        case 1 -> all.add(in.read(target, at, length, source.remoteKey(), at));
                        default -> {
                            Transfer receive = in.receive(target, at, length);
                            Transfer send = out.send(source, at, length);
                            all.add(random.nextBoolean() ? send : receive);
                        }
                    }
                }
                if (random.nextBoolean()) {
                    TimeUnit.MICROSECONDS.sleep(random.nextInt(500));
                }
                all.forEach(Transfer::cancel);
                for (Transfer t : all) {
                    cancelled += succeeded(t) ? 0 : 1;
                }
                if (n == 50) {
                    before = Held.now();
                }
            }
            Held after = Held.now();
            assertThat(cancelled).as("of 10,000 that ended by it").isGreaterThan(1000);
            assertThat(after.heap - before.heap).as("bytes of the heap").isLessThan(4 << 20);
            assertThat(after.descriptors - before.descriptors).as("descriptors").isLessThan(10);
            assertThat(after.threads - before.threads).as("threads").isLessThan(10);
            Transfer last = in.receive(target, 0, bytes * atOnce);
            source.fill(0, bytes * atOnce, 5);
            out.send(source, 0, bytes * atOnce).await(LIMIT);
            last.await(LIMIT);
            assertThat(target.mismatch(0, bytes * atOnce, 5)).isEqualTo(-1);
            source.close();
            target.close();
        });
    }

    private static boolean succeeded(Transfer transfer) {
        try {
            transfer.await(LIMIT);
            return true;
        } catch (CancelledException e) {
            return false;
        }
    }

    @Test
    @DisplayName("a deadline ends a transfer that nobody meets")
    void deadline() throws Exception {
        linked(Map.of(), (server, client, in, out) -> {
            Region region = client.allocate(0, 4096);
            Transfer t = out.send(Layout.all(region), TransferOptions.NONE.deadline(Duration.ofMillis(50)));
            assertThatThrownBy(() -> t.await(LIMIT)).isInstanceOf(DeadlineException.class);
            assertThatThrownBy(
                            () -> in.receive(server.allocate(0, 4096), 0, 4096).await(LIMIT))
                    .isInstanceOf(DeadlineException.class);
        });
    }

    @Test
    @DisplayName("a key gives the right that it was made for, until it is withdrawn")
    void rights() throws Exception {
        linked(Map.of(), (server, client, in, out) -> {
            Region source = client.allocate(0, SIZE);
            Region target = server.allocate(0, SIZE);
            RemoteRegion readable = target.share(Access.READ);
            RemoteRegion writable = target.share(Access.WRITE);
            source.fill(0, SIZE, 3);
            out.write(source, 0, SIZE, writable, 0).await(LIMIT);
            out.read(source, 0, SIZE, readable, 0).await(LIMIT);
            refuses(out.write(source, 0, 100, readable, 0), TransferRefusal.RIGHTS);
            refuses(out.read(source, 0, 100, writable, 0), TransferRefusal.RIGHTS);
            Transfer under = out.write(source, 0, SIZE, writable, 0);
            target.withdraw(writable, Duration.ofSeconds(5));
            // nobody is at the memory now; the one that was under way has ended, well or told why not
            try {
                under.await(LIMIT);
            } catch (RemoteAccessException e) {
                assertThat(e.reason()).isIn(TransferRefusal.WITHDRAWN, TransferRefusal.KEY);
            }
            refuses(out.write(source, 0, 100, writable, 0), TransferRefusal.KEY);
            out.read(source, 0, SIZE, readable, 0).await(LIMIT);
        });
    }

    private static void refuses(Transfer transfer, TransferRefusal why) {
        assertThatThrownBy(() -> transfer.await(LIMIT))
                .isInstanceOfSatisfying(
                        RemoteAccessException.class, e -> assertThat(e.reason()).isEqualTo(why));
    }
}
