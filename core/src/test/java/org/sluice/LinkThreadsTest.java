package org.sluice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What callers' threads and the agent do to each other: two nodes in this process, real control connections, wires in memory. */
@Timeout(60)
final class LinkThreadsTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final int CHUNK = 4096;
    private static final long STRIDE = 4L * CHUNK;

    private Node server;
    private Node client;
    private Link in;
    private Link out;

    @BeforeEach
    void link() throws Exception {
        int port = freePort();
        server = Node.open(config(port));
        client = Node.open(config(port));
        server.bind();
        CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> server.accept(0));
        out = client.connect(0, "127.0.0.1");
        in = accepted.get(20, TimeUnit.SECONDS);
    }

    @AfterEach
    void close() {
        client.close();
        server.close();
    }

    private static int freePort() {
        try (ServerSocket s = new ServerSocket(0)) {
            return s.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static NodeConfig config(int port) {
        return NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .transport("memory")
                .channels(4)
                .chunkBytes(CHUNK)
                .portBase(port)
                .deadline(SOON)
                .build();
    }

    @Test
    @DisplayName("sends of many threads meet receives of many threads, and every byte is right")
    void manyThreads() throws Exception {
        int threads = 4;
        int each = 50;
        long size = 3 * CHUNK + 17;
        List<Region> regions = new ArrayList<>();
        List<Transfer> transfers = java.util.Collections.synchronizedList(new ArrayList<>());
        List<Thread> all = new ArrayList<>();
        Region source = client.allocate(0, size);
        source.fill(0, size, 42);
        for (int t = 0; t < threads; t++) {
            Region target = server.allocate(0, each * STRIDE);
            regions.add(target);
            all.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < each; i++) {
                    transfers.add(out.send(source, 0, size));
                }
            }));
            all.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < each; i++) {
                    transfers.add(in.receive(target, i * STRIDE, size));
                }
            }));
        }
        for (Thread t : all) {
            t.join();
        }
        for (Transfer t : List.copyOf(transfers)) {
            t.await(SOON);
        }
        byte[] sent = source.segment().orElseThrow().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
        for (Region r : regions) {
            for (int i = 0; i < each; i++) {
                assertThat(r.segment()
                                .orElseThrow()
                                .asSlice(i * STRIDE, size)
                                .toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))
                        .isEqualTo(sent);
            }
        }
    }

    @Test
    @DisplayName("closing a link fails what is under way on both sides, and may be repeated")
    void closeWithTransfersUnderWay() {
        Region r = server.allocate(0, 1 << 20);
        Region s = client.allocate(0, 1 << 20);
        Transfer never = in.receive(r, 0, 1 << 20);
        Transfer neither = out.receive(s, 0, 1 << 20);
        out.close();
        out.close();
        assertThatThrownBy(() -> neither.await(SOON)).isInstanceOf(ClosedException.class);
        assertThatThrownBy(() -> never.await(SOON)).isInstanceOf(SluiceException.class);
        assertThat(in.ended().join()).isInstanceOf(ClosedException.class);
        in.close();
        assertThatThrownBy(() -> in.receive(r, 0, 10).await(SOON)).isInstanceOf(ClosedException.class);
        r.close();
        s.close();
    }

    @Test
    @DisplayName("what is not done yet is told from what has failed, says where it is, and can be waited for again")
    void notDoneYet() {
        Region r = server.allocate(0, CHUNK);
        Region s = client.allocate(0, CHUNK);
        Transfer receive = in.receive(r, 0, CHUNK);
        assertThatThrownBy(() -> receive.await(Duration.ofMillis(10)))
                .isInstanceOfSatisfying(NotDoneException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.NOT_DONE);
                    assertThat(e.where().gpu()).isZero();
                    assertThat(e.where().peer()).contains("its GPU 0");
                });
        assertThatThrownBy(() -> in.awaitNote(Duration.ofMillis(10))).isInstanceOf(NotDoneException.class);
        out.send(s, 0, CHUNK).await(SOON);
        receive.await(SOON);
        out.note(new byte[] {1});
        assertThat(in.awaitNote(SOON)).hasSize(1);
    }

    @Test
    @DisplayName("a transfer that is begun after its node has closed fails at once instead of never ending")
    void afterClose() {
        Region r = client.allocate(0, 100);
        client.close();
        client.close();
        assertThatThrownBy(() -> out.send(r, 0, 100)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> client.allocate(0, 100)).isInstanceOf(ClosedException.class);
    }

    @Test
    @DisplayName("where a transfer's end is told, the link may be closed, and what would wait for the agent says so")
    void callsFromTheAgent() throws Exception {
        Region r = server.allocate(0, 8);
        Region s = client.allocate(0, 8);
        Transfer receive = in.receive(r, 0, 8);
        CompletableFuture<Void> told = receive.future().thenAccept(t -> {
            assertThatThrownBy(() -> r.read(0, java.lang.foreign.MemorySegment.ofArray(new byte[8])))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("gpu0-agent");
            in.close();
        });
        out.send(s, 0, 8);
        told.get(20, TimeUnit.SECONDS);
        assertThat(in.ended().get(20, TimeUnit.SECONDS)).isInstanceOf(ClosedException.class);
    }

    @Test
    @DisplayName("a region that is being closed while others begin transfers is either used or closed, never both")
    void closingARegionInUse() throws Exception {
        for (int round = 0; round < 100; round++) {
            Region s = client.allocate(0, CHUNK);
            Region r = server.allocate(0, CHUNK);
            CountDownLatch go = new CountDownLatch(1);
            CompletableFuture<Transfer> send = CompletableFuture.supplyAsync(() -> {
                await(go);
                return out.send(s, 0, CHUNK);
            });
            go.countDown();
            boolean closed;
            try {
                s.close();
                closed = true;
            } catch (IllegalStateException e) {
                closed = false;
            }
            boolean sent = send.handle((t, e) -> e == null).get(20, TimeUnit.SECONDS);
            assertThat(sent || closed).isTrue();
            if (sent) {
                in.receive(r, 0, CHUNK).await(SOON);
                send.get().await(SOON);
            }
            s.close();
            r.close();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    @DisplayName("a region stays for as long as a peer reads it, and its key and bounds are checked")
    void oneSided() throws Exception {
        long size = 10 * CHUNK + 3;
        Region theirs = server.allocate(0, size);
        theirs.fill(0, size, 7);
        Region mine = client.allocate(0, size);
        in.share("theirs", theirs);
        RemoteRegion key = out.remoteRegion("theirs").get(20, TimeUnit.SECONDS);
        out.read(mine, 0, size, key, 0).await(SOON);
        assertThat(mine.mismatch(0, size, 7)).isEqualTo(-1);
        mine.fill(0, size, 8);
        out.write(mine, 0, size, key, 0).await(SOON);
        assertThat(theirs.mismatch(0, size, 8)).isEqualTo(-1);
        assertThatThrownBy(() -> out.write(mine, 0, size, key, 1).await(SOON))
                .isInstanceOfSatisfying(
                        RemoteAccessException.class, e -> assertThat(e.reason()).isEqualTo(TransferRefusal.BOUNDS));
        assertThatThrownBy(
                        () -> out.read(mine, 0, 1, new RemoteRegion(1, 2, 3), 0).await(SOON))
                .isInstanceOf(RemoteAccessException.class);
        out.write(mine, 0, 0, key, size).await(SOON);
        theirs.close();
        assertThatThrownBy(() -> out.read(mine, 0, 1, key, 0).await(SOON)).isInstanceOf(RemoteAccessException.class);
    }
}
