package org.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.CancelledException;
import org.sluice.ChannelStats;
import org.sluice.Layout;
import org.sluice.Region;
import org.sluice.Transfer;
import org.sluice.TransferOptions;
import org.sluice.memory.MemoryTransport;

/** What was granted of a transfer that ends early is owed for ten seconds, whatever else the transfer had on the clock. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class CancelDebtTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final int BYTES = 100_000;

    @AfterEach
    void behave() {
        MemoryTransport.behave();
    }

    @Test
    @DisplayName("a transfer that was cancelled does not cost its channels when its deadline passes meanwhile")
    void deadlineAfterCancel() throws Exception {
        CountDownLatch back = new CountDownLatch(1);
        CountDownLatch away = new CountDownLatch(1);
        try (LinkedNodes nodes = new LinkedNodes(SOON)) {
            Region s = nodes.client().allocate(0, BYTES);
            Region r = nodes.server().allocate(0, BYTES);
            MemoryTransport.mischief((call, wire) -> {
                if (call.equals("send")) {
                    away.countDown();
                    await(back);
                }
            });
            Transfer receive = nodes.in().receive(Layout.all(r), TransferOptions.NONE.deadline(Duration.ofMillis(500)));
            Transfer send = nodes.out().send(s, 0, BYTES);
            away.await(); // chunks are granted, and their sender does not send them
            receive.cancel();
            assertThatThrownBy(() -> receive.future().get(1500, TimeUnit.MILLISECONDS))
                    .as("it ends with what it is owed, and its deadline passes before that")
                    .isInstanceOf(java.util.concurrent.TimeoutException.class);
            MemoryTransport.behave();
            back.countDown();
            assertThatThrownBy(() -> receive.await(SOON)).isInstanceOf(CancelledException.class);
            assertThatThrownBy(() -> send.await(SOON)).isInstanceOf(CancelledException.class);
            assertThat(nodes.in().channels().stream()
                            .mapToLong(ChannelStats::reconnects)
                            .sum())
                    .as("channels made anew")
                    .isZero();
            assertThat(nodes.in().channels().stream()
                            .mapToLong(ChannelStats::retried)
                            .sum())
                    .as("chunks taken back")
                    .isZero();
            Transfer next = nodes.in().receive(r, 0, BYTES);
            nodes.out().send(s, 0, BYTES).await(SOON);
            next.await(SOON);
        } finally {
            back.countDown();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
