package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sluice.client.Link;
import org.sluice.client.Notification;
import org.sluice.client.SharedMemory;
import org.sluice.client.SluiceClient;
import org.sluice.client.SluiceClientException;
import org.sluice.client.Transfer;
import org.sluice.testkit.FreePorts;

/** The Java client where OtherLanguagesTest's program does not come: daemons that are killed, and many threads that ask. */
final class JavaClientTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final int SIZE = 1 << 16;
    private static final int ROUNDS = 2;
    /** More than one ring of notifications. */
    private static final int NOTES = 600;

    @TempDir
    private Path directory;

    /** Two threads that write until the daemon is gone, with notifications that begin with a byte. */
    private static final class Load implements AutoCloseable {
        private static final int THREADS = 2;
        private static final int AT_ONCE = 200;

        private final AtomicLong done = new AtomicLong();
        private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        private final List<Future<Integer>> lost;

        Load(Link link, SharedMemory from, SharedMemory to, SluiceClient target, byte mark) {
            lost = IntStream.range(0, THREADS)
                    .mapToObj(i -> threads.submit(() -> {
                        while (true) {
                            int failed = some(link, from, to, target, mark);
                            if (failed > 0) {
                                return failed;
                            }
                        }
                    }))
                    .toList();
        }

        /** @return how many could not be posted, or failed since the daemon is gone */
        private int some(Link link, SharedMemory from, SharedMemory to, SluiceClient target, byte mark) {
            List<Transfer> posted = new ArrayList<>();
            int failed = 0;
            try {
                for (int i = 0; i < AT_ONCE; i++) {
                    posted.add(link.write(from, 0, 64, to.key(), 0, target.mailbox(), new byte[] {mark}));
                }
            } catch (SluiceClientException e) {
                assertThat(e.isLost()).as(e.toString()).isTrue();
                failed++;
            }
            for (Transfer t : posted) {
                try {
                    t.await(LIMIT);
                    done.incrementAndGet();
                } catch (SluiceClientException e) {
                    assertThat(e.isLost()).as(e.toString()).isTrue();
                    failed++;
                }
            }
            return failed;
        }

        void untilUnderWay() throws InterruptedException {
            Gone.until(() -> done.get() > 10L * AT_ONCE, "transfers under way");
        }

        /** Each thread was told of the loss. */
        void untilLost() throws Exception {
            for (Future<Integer> f : lost) {
                assertThat(f.get(LIMIT.toSeconds(), TimeUnit.SECONDS)).isPositive();
            }
        }

        @Override
        public void close() {
            threads.shutdownNow();
        }
    }

    @Test
    @DisplayName(
            "a Java client whose daemon is killed is told, and has its memory, keys, links and mailbox at the next one")
    void reopens() throws Exception {
        int port = FreePorts.block(2);
        Path a = directory.resolve("a");
        Path b = directory.resolve("b");
        DaemonProcess daemon = DaemonProcess.start(a, port);
        try (DaemonProcess other = DaemonProcess.start(b, port + 1);
                SluiceClient from = SluiceClient.open(a, "a");
                SluiceClient to = SluiceClient.open(b, "b")) {
            SharedMemory source = from.allocate(0, SIZE);
            SharedMemory target = to.allocate(0, SIZE);
            Link link = from.connect("127.0.0.1:" + (port + 1), 0, 0, LIMIT);
            for (int round = 1; round <= ROUNDS; round++) {
                long epoch = from.epoch();
                try (Load load = new Load(link, source, target, to, (byte) 0)) {
                    load.untilUnderWay();
                    source.buffer().putLong(512, round);
                    daemon.kill();
                    load.untilLost();
                }
                assertThatThrownBy(() -> link.notify(to.mailbox(), new byte[1]))
                        .isInstanceOfSatisfying(
                                SluiceClientException.class,
                                e -> assertThat(e.isLost()).isTrue());
                daemon = DaemonProcess.start(a, port);
                from.reopen(LIMIT);
                assertThat(from.epoch()).isNotEqualTo(epoch);
                assertThat(source.buffer().getLong(512)).isEqualTo(round);
                for (int i = 0; i < NOTES; i++) {
                    link.write(source, 0, SIZE, target.key(), 0, to.mailbox(), new byte[] {(byte) round})
                            .await(LIMIT);
                }
                assertThat(target.buffer().getLong(512)).isEqualTo(round);
                takeNotes(to, round);
            }
            assertThat(to.notesLost()).isZero();
            assertThat(other.lives()).isTrue();
            source.close();
            link.close();
            assertThat(from.stats()).contains("\"memories\":0", "\"links\":0");
        } finally {
            daemon.close();
        }
    }

    /** Takes those of a round, and between them what was left of the load before it. */
    private static void takeNotes(SluiceClient client, int round) throws Exception {
        int taken = 0;
        while (taken < NOTES) {
            Notification note = client.notification(LIMIT);
            assertThat(note).as("notification " + taken + " of round " + round).isNotNull();
            byte mark = Objects.requireNonNull(note).bytes()[0];
            assertThat(mark).isIn((byte) 0, (byte) round);
            taken += mark == round ? 1 : 0;
        }
    }

    @Test
    @DisplayName("transfers of a Java client go on while more of its threads ask than a daemon answers at once")
    void asksMuch() throws Exception {
        int askers = 2 * Protocol.MOST_UNANSWERED;
        try (DaemonPair pair = DaemonPair.in(directory);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
                SluiceClient from = SluiceClient.open(pair.a().socket(), "a");
                SluiceClient to = SluiceClient.open(pair.b().socket(), "b")) {
            SharedMemory source = from.allocate(0, SIZE);
            SharedMemory target = to.allocate(0, SIZE);
            Link link = from.connect(pair.addressOfB(), 0, 0, LIMIT);
            List<Future<?>> asked = new ArrayList<>();
            for (int i = 0; i < askers; i++) {
                asked.add(threads.submit(() -> link.remote("late", LIMIT)));
            }
            for (int i = 0; i < 200; i++) {
                link.write(source, 0, SIZE, target.key(), 0).await(Duration.ofSeconds(5));
            }
            target.share("late");
            for (Future<?> f : asked) {
                assertThat(f.get(LIMIT.toSeconds(), TimeUnit.SECONDS)).isEqualTo(target.key());
            }
        }
    }
}
