package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

class CpuAffinityTest {
    private static <T> T onNewThread(Callable<T> call) throws Exception {
        FutureTask<T> task = new FutureTask<>(call);
        Thread.ofPlatform().name("affinity-test").start(task);
        return task.get();
    }

    @Test
    void aThreadBoundToOneCpuRunsThere() throws Exception {
        int cpu = CpuAffinity.process().stream().max().orElseThrow();
        OsThread found = onNewThread(() -> {
            CpuAffinity.set(0, CpuSet.of(cpu));
            int tid = CpuAffinity.currentTid();
            return CpuAffinity.threads().stream()
                    .filter(t -> t.tid() == tid)
                    .findFirst()
                    .orElseThrow();
        });
        assertThat(found.mask()).isEqualTo(CpuSet.of(cpu));
        assertThat(found.lastCpu()).isEqualTo(cpu);
        assertThat(found.name()).isEqualTo("affinity-test");
    }

    @Test
    void aMaskWithoutAUsableCpuIsRefused() throws Exception {
        assertThatThrownBy(() -> onNewThread(() -> {
                    CpuAffinity.set(0, CpuSet.of(CpuSet.MOST));
                    return 0;
                }))
                .hasRootCauseInstanceOf(LinuxException.class)
                .hasMessageContaining("sched_setaffinity to CPUs 8191");
    }

    @Test
    void whatEveryThreadAskedForIsWhatTheKernelHolds() throws Exception {
        CpuSet usable = CpuAffinity.process();
        assumeTrue(usable.size() >= 2, "binding to different CPUs takes two");
        int[] cpus = usable.stream().toArray();
        String tx = "eth1:" + cpus[0] + ";eth2:" + cpus[1];
        String rx = "eth1:" + cpus[1] + ";eth2:" + cpus[0] + "," + cpus[1];
        ThreadPlacement placement = ThreadPlacement.of("auto", tx, rx);
        List<Runnable> roles = List.of(
                () -> placement.transmitsOn("eth1", 0),
                () -> placement.receivesOn("eth1", 0),
                () -> placement.transmitsOn("eth2", 0),
                () -> placement.receivesOn("eth2", 0),
                () -> placement.worksFor(0, 0),
                () -> placement.receivesOn("eth3", -1));
        Map<Integer, ThreadPlacement.Asked> asked;
        List<OsThread> found;
        CountDownLatch placed = new CountDownLatch(roles.size());
        CountDownLatch looked = new CountDownLatch(1);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < roles.size(); i++) {
            Runnable role = roles.get(i);
            threads.add(Thread.ofPlatform().name("placed-" + i).start(() -> {
                role.run();
                placed.countDown();
                await(looked);
            }));
        }
        placed.await();
        found = CpuAffinity.threads();
        asked = ThreadPlacement.asked();
        looked.countDown();
        for (Thread t : threads) {
            t.join();
        }
        CpuSet node0 = NumaNode.cpus(NumaNode.list(Sysfs.SYSTEM), 0).and(usable);
        List<CpuSet> wanted = List.of(
                CpuSet.of(cpus[0]), CpuSet.of(cpus[1]), CpuSet.of(cpus[1]), CpuSet.of(cpus[0], cpus[1]), node0, usable);
        for (int i = 0; i < roles.size(); i++) {
            String name = "placed-" + i;
            OsThread os = found.stream()
                    .filter(t -> t.name().equals(name))
                    .findFirst()
                    .orElseThrow();
            assertThat(os.mask()).as(name).isEqualTo(wanted.get(i));
            ThreadPlacement.Asked its = asked.get(os.tid());
            assertThat(its).as(name).isNotNull();
            assertThat(its.thread()).isEqualTo(name);
            assertThat(its.cpus()).isEqualTo(i == 5 ? null : wanted.get(i));
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aBindingToCpusOutsideTheProcessIsRefusedByName() {
        assertThatThrownBy(() -> ThreadPlacement.of("auto", "eth1:0,8000", ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("tx bindings of eth1: CPUs 8000 are not among those this process may use");
        assertThatThrownBy(() -> ThreadPlacement.of("auto", "", "eth1:x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("rx bindings at position 6:");
        assertThatThrownBy(() -> ThreadPlacement.of("on", "", ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("auto or off");
    }

    @Test
    void everyCpuOfTheProcessLiesOnANumaNode() throws IOException {
        CpuSet left = CpuAffinity.process();
        for (NumaNode n : NumaNode.list(Sysfs.SYSTEM)) {
            left = left.minus(n.cpus());
        }
        assertThat(left).isEqualTo(CpuSet.NONE);
    }

    @Test
    void theTimerSlackOfAThreadCanBeSet() throws Exception {
        long slack = onNewThread(() -> {
            TimerSlack.set(1000);
            return TimerSlack.get();
        });
        assertThat(slack).isEqualTo(1000);
    }
}
