package org.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.CancelledException;
import org.sluice.ErrorCode;
import org.sluice.Layout;
import org.sluice.Region;
import org.sluice.Transfer;
import org.sluice.TransferOptions;
import org.sluice.wire.ControlConnection;

/**
 * A peer that knows the protocol and says what it may as fast as it can: the node keeps little of it, and another link of the same GPU
 * moves its bytes meanwhile. What it may not say ends its own link, and no other.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class HostilePeerTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    /** Bytes said at once: what this side itself keeps for a peer that does not read is bounded too. */
    private static final int BATCH_BYTES = 1 << 20;

    /** Both ends are in this process, and its garbage is not collected to the last byte. */
    private static final long MOST_KEPT = 24 << 20;

    private final LinkedNodes nodes = new LinkedNodes(SOON);
    private LinkedNodes.Pair honest;
    private EngineLink hostile;
    private ControlConnection words;

    @BeforeEach
    void link() throws Exception {
        honest = nodes.another();
        hostile = (EngineLink) nodes.out();
        words = (ControlConnection) field(field(field(hostile, "session"), "plane"), "control");
    }

    private static Object field(Object of, String name) throws ReflectiveOperationException {
        Field field = of.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(of);
    }

    @AfterEach
    void close() {
        nodes.close();
    }

    private interface Frame {
        void say(ControlConnection words, int n);
    }

    /** Says so many frames on the hostile link, as fast as they go out, while the honest link moves bytes. */
    private void flood(int frames, int bytes, Frame frame) throws Exception {
        long before = kept();
        CountDownLatch done = new CountDownLatch(1);
        more(0, frames, BATCH_BYTES / bytes, frame, done);
        do {
            moves();
        } while (!done.await(1, TimeUnit.MILLISECONDS) && !hostile.ended().isDone());
        moves();
        assertThat(kept() - before).as("bytes kept of %d frames", frames).isLessThan(MOST_KEPT);
    }

    private void more(int from, int frames, int batch, Frame frame, CountDownLatch done) {
        hostile.inject(() -> {
            int n = from;
            if (!words.hasUnsent()) {
                for (; n < Math.min(frames, from + batch); n++) {
                    frame.say(words, n);
                }
            }
            if (n < frames && !hostile.ended().isDone()) {
                more(n, frames, batch, frame, done);
            } else {
                done.countDown();
            }
        });
    }

    private static long kept() throws InterruptedException {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            least = Math.min(
                    least,
                    Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
            Thread.sleep(20); // reference processing has a thread of its own
        }
        return least;
    }

    private void moves() {
        Region s = nodes.client().allocate(0, 50_000);
        Region r = nodes.server().allocate(0, 50_000);
        s.fill(0, s.size(), 3);
        Transfer receive = honest.in().receive(r, 0, r.size());
        honest.out().send(s, 0, s.size()).await(SOON);
        receive.await(SOON);
        assertThat(r.mismatch(0, r.size(), 3)).isEqualTo(-1);
        s.close();
        r.close();
    }

    @Test
    @DisplayName("questions without end")
    void pings() throws Exception {
        flood(50_000, 500, (w, n) -> w.probe());
        assertThat(hostile.ended().isDone()).isFalse();
    }

    @Test
    @DisplayName("names given and taken back without end")
    void regions() throws Exception {
        flood(10_000, 500, (w, n) -> {
            w.region("name " + n % 16, 1, 2, 3);
            w.withdraw("name " + n % 16);
        });
    }

    @Test
    @DisplayName("notes beyond credit end their own link, with what was given and what came")
    void notes() throws Exception {
        byte[] note = new byte[60_000];
        flood(3000, 60_012, (w, n) -> w.note(note));
        assertThat(nodes.in().ended().get(60, TimeUnit.SECONDS).code()).isEqualTo(ErrorCode.PROTOCOL);
        assertThat(hostile.ended().get(60, TimeUnit.SECONDS)).hasMessageContaining("more notes than it has credit for");
    }

    @Test
    @DisplayName("regions beyond credit end their own link")
    void names() throws Exception {
        flood(10_000, 1000, (w, n) -> w.region("x".repeat(900) + n, 1, 2, 3));
        assertThat(nodes.in().ended().get(60, TimeUnit.SECONDS).code()).isEqualTo(ErrorCode.PROTOCOL);
    }

    @Test
    @DisplayName("sends that nobody receives are counted, and beyond the limit they end their own link")
    void opens() throws Exception {
        Region s = nodes.client().allocate(0, 1 << 20);
        CompletableFuture<?> last = CompletableFuture.completedFuture(null);
        for (int i = 0; i < 66_000; i++) {
            last = hostile.send(s, 0, 1 << 20).future();
        }
        moves();
        assertThat(last.handle((ok, why) -> why).get(60, TimeUnit.SECONDS)).isNotNull();
        assertThat(nodes.in().ended().isDone())
                .as("what the API refuses is not said")
                .isFalse();
    }

    @Test
    @DisplayName("sends that are cancelled before anybody receives them, without end")
    void cancelledOpens() throws Exception {
        long before = kept();
        Region s = nodes.client().allocate(0, 1 << 20);
        CompletableFuture<?> last = CompletableFuture.completedFuture(null);
        for (int i = 0; i < 200_000; i++) {
            CompletableFuture<?> earlier = last;
            Transfer send = hostile.send(Layout.all(s), i % 3 == 0 ? TransferOptions.tagged(i) : TransferOptions.NONE);
            send.cancel();
            if (i % 1000 == 0) {
                earlier.handle((ok, why) -> why).get(60, TimeUnit.SECONDS);
            }
            last = send.future();
        }
        moves();
        assertThat(last.handle((ok, why) -> why).get(60, TimeUnit.SECONDS))
                .hasCauseInstanceOf(CancelledException.class);
        assertThat(kept() - before).as("bytes kept").isLessThan(MOST_KEPT);
        assertThat(hostile.ended().isDone()).isFalse();
        Region r = nodes.server().allocate(0, 1 << 20);
        assertThat(nodes.in()
                        .receive(r, 0, 1 << 20)
                        .future()
                        .handle((ok, why) -> why)
                        .get(60, TimeUnit.SECONDS))
                .as("each is still for its receive")
                .hasCauseInstanceOf(CancelledException.class);
    }
}
