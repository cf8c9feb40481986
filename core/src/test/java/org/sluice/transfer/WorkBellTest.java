package org.sluice.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.UnpackMode;
import org.sluice.host.HostGpuBackend;

/** An agent turns what somebody has rung for, loses no ring, and leaves the rest alone. */
@Timeout(60)
final class WorkBellTest {
    private static final int HOURS = 3_600_000;

    private final NodeTimer timer = new NodeTimer();
    private final Agent agent = new Agent(
            new HostGpuBackend().open(0), UnpackMode.KERNEL, timer, AgentLimits.of(Duration.ofSeconds(30)), gpu -> {});

    @AfterEach
    void close() {
        agent.close();
        timer.close();
    }

    /** Answers each request by a permit; rests for hours, so that a ring that is lost is never made good. */
    private final class Answering implements Work {
        final WorkBell bell = agent.bell();
        final AtomicLong asked = new AtomicLong();
        final Semaphore answers = new Semaphore(0);
        final CompletableFuture<Throwable> failed = new CompletableFuture<>();
        volatile long turns;
        volatile int rest = HOURS;
        private long answered;

        void ask() {
            // as an I/O thread does: what is there is written with release only, then the bell
            asked.setRelease(asked.getPlain() + 1);
            bell.ring();
        }

        @Override
        @SuppressWarnings("NonAtomicVolatileUpdate") // written by the agent alone
        public int doWork(long now) {
            turns++;
            long upTo = asked.getAcquire();
            int done = (int) (upTo - answered);
            answered = upTo;
            answers.release(done);
            return done;
        }

        @Override
        public int restMillis() {
            return rest;
        }

        @Override
        public void fail(Throwable why) {
            failed.complete(why);
        }

        Answering added() throws Exception {
            onAgent(() -> agent.add(this, bell));
            return this;
        }
    }

    private void onAgent(Runnable step) throws Exception {
        agent.call("a step", () -> {
                    step.run();
                    return true;
                })
                .get(20, TimeUnit.SECONDS);
    }

    @Test
    @DisplayName("of many threads that ring and wait for what they rang for, none ever waits for ever")
    void noneIsLost() throws Exception {
        int threads = 4;
        int rounds = 20_000;
        List<Answering> all = new ArrayList<>();
        for (int n = 0; n < threads * 3; n++) {
            all.add(new Answering().added());
        }
        CountDownLatch over = new CountDownLatch(threads);
        AtomicLong lost = new AtomicLong();
        for (int t = 0; t < threads; t++) {
            int own = t;
            Thread.ofPlatform().daemon(true).start(() -> {
                Random random = new Random(own);
                try {
                    for (int i = 0; i < rounds && lost.get() == 0; i++) {
                        Answering a = all.get(own * 3 + random.nextInt(3));
                        int burst = 1 + random.nextInt(3);
                        for (int b = 0; b < burst; b++) {
                            a.ask();
                        }
                        if (!a.answers.tryAcquire(burst, 20, TimeUnit.SECONDS)) {
                            lost.incrementAndGet();
                        }
                    }
                } catch (InterruptedException e) {
                    lost.incrementAndGet();
                }
                over.countDown();
            });
        }
        over.await();
        assertThat(lost).hasValue(0);
    }

    @Test
    @DisplayName("while one piece of work of many has something to do, the others have no turn")
    void idleIsLeftAlone() throws Exception {
        List<Answering> idle = new ArrayList<>();
        for (int n = 0; n < 512; n++) {
            idle.add(new Answering().added());
        }
        Answering busy = new Answering().added();
        onAgent(() -> {});
        long before = idle.stream().mapToLong(a -> a.turns).sum();
        for (int i = 0; i < 5000; i++) {
            busy.ask();
            assertThat(busy.answers.tryAcquire(20, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(idle.stream().mapToLong(a -> a.turns).sum()).isEqualTo(before);
        assertThat(busy.turns).isGreaterThanOrEqualTo(5000);
    }

    @Test
    @DisplayName(
            "work whose time has come has a turn without a ring, and work that asks for it is turned again and again")
    void times() throws Exception {
        Answering ticking = new Answering();
        ticking.rest = 1;
        ticking.added();
        while (ticking.turns < 20) {
            Thread.onSpinWait();
        }
        ticking.rest = HOURS;
        ticking.ask();
        assertThat(ticking.answers.tryAcquire(20, TimeUnit.SECONDS)).isTrue();
        Answering polling = new Answering();
        polling.rest = 0;
        polling.added();
        long then = polling.turns;
        while (polling.turns < then + 1000) {
            Thread.onSpinWait();
        }
        polling.rest = HOURS;
        ticking.ask();
        assertThat(ticking.answers.tryAcquire(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    @DisplayName(
            "work that throws is told, has no turn any more, and keeps nobody from theirs; a bell may then be another's")
    void throwing() throws Exception {
        WorkBell bell = agent.bell();
        CompletableFuture<Throwable> why = new CompletableFuture<>();
        Work broken = new Work() {
            @Override
            public int doWork(long now) {
                throw new IllegalStateException("broken");
            }

            @Override
            public int restMillis() {
                return HOURS;
            }

            @Override
            public void fail(Throwable e) {
                why.complete(e);
            }
        };
        Answering other = new Answering().added();
        onAgent(() -> agent.add(broken, bell));
        assertThat(why.get(20, TimeUnit.SECONDS)).hasMessage("broken");
        bell.ring();
        other.ask();
        assertThat(other.answers.tryAcquire(20, TimeUnit.SECONDS)).isTrue();
        CountDownLatch turned = new CountDownLatch(1);
        onAgent(() -> agent.add(
                new Work() {
                    @Override
                    public int doWork(long now) {
                        turned.countDown();
                        return 0;
                    }

                    @Override
                    public int restMillis() {
                        return HOURS;
                    }

                    @Override
                    public void fail(Throwable e) {}
                },
                bell));
        assertThat(turned.await(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    @DisplayName("all work fails when the agent ends, also what rests")
    void ends() throws Exception {
        Answering resting = new Answering().added();
        agent.close();
        assertThat(resting.failed.get(20, TimeUnit.SECONDS)).isNotNull();
    }
}
