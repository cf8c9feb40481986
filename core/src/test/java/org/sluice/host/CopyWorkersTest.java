package org.sluice.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CopyWorkersTest {
    private static final int BYTES = (9 << 20) + 5;

    @Test
    void everyByteIsCopiedByWhoeverComesFirst() {
        byte[] from = new byte[BYTES];
        new Random(5).nextBytes(from);
        try (CopyWorkers workers = new CopyWorkers("test", 3)) {
            for (int round = 1; round < 20; round++) {
                byte[] to = new byte[BYTES];
                int bytes = BYTES - round * 123_457;
                workers.copy(bytes, (at, some) -> System.arraycopy(from, (int) at, to, (int) at, (int) some));
                assertThat(to).startsWith(Arrays.copyOf(from, bytes));
                assertThat(Arrays.copyOfRange(to, bytes, BYTES)).containsOnly(0);
            }
        }
    }

    @Test
    void theOthersHelpAndEndWithTheirGpu() throws Exception {
        Set<Thread> helped = ConcurrentHashMap.newKeySet();
        CountDownLatch all = new CountDownLatch(3);
        CopyWorkers workers = new CopyWorkers("test", 2);
        workers.copy(BYTES, (at, some) -> {
            if (helped.add(Thread.currentThread())) {
                all.countDown();
                await(all); // nobody goes on before each has some
            }
        });
        assertThat(helped).hasSize(3).contains(Thread.currentThread());
        workers.close();
        workers.close();
        for (Thread t : helped) {
            if (t != Thread.currentThread()) {
                assertThat(t.getName()).startsWith("test-copy");
                assertThat(t.join(Duration.ofSeconds(20))).isTrue();
            }
        }
        long[] copied = {0};
        workers.copy(BYTES, (at, some) -> copied[0] += some); // by the caller alone
        assertThat(copied[0]).isEqualTo(BYTES);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatFailsIsTold() {
        try (CopyWorkers workers = new CopyWorkers("test", 1)) {
            assertThatThrownBy(() -> workers.copy(BYTES, (at, some) -> {
                        if (at == 3 * CopyWorkers.SLICE) {
                            throw new IndexOutOfBoundsException("there");
                        }
                    }))
                    .hasMessageContaining("there");
        }
    }
}
