package org.sluice.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sluice.cli.plan.JobCost;
import org.sluice.cli.plan.JobPlan;
import org.sluice.linux.CpuQuota;
import org.sluice.linux.CpuSet;
import org.sluice.linux.Interrupt;
import org.sluice.linux.MemoryRoom;
import org.sluice.linux.NetDevice;
import org.sluice.linux.NumaNode;
import org.sluice.linux.PciGpu;
import org.sluice.linux.ThreadRoom;
import org.sluice.linux.Topology;

/** Judgements that take a machine which this one need not be. */
class JudgementTest {
    private static final List<NumaNode> NODES =
            List.of(new NumaNode(0, CpuSet.parse("0-3")), new NumaNode(1, CpuSet.parse("4-7")));

    private static NetDevice nic(int numaNode) {
        return new NetDevice(
                "eth1",
                2,
                true,
                true,
                true,
                false,
                1500,
                0,
                "gve",
                numaNode,
                "/sys/devices/pci0000:00/0000:00:03.0",
                4,
                4,
                null,
                0,
                0,
                List.of());
    }

    private static Interrupt line(int number, String cpus) {
        return new Interrupt(number, CpuSet.parse(cpus));
    }

    @Test
    void whatSharedMemoryLacksIsSaidWithWhatToDo() {
        SharingCheck check = new SharingCheck();
        assertThat(check.hugePages("always within_size [advise] never deny force")
                        .severity())
                .isEqualTo(Severity.OK);
        Finding small = check.hugePages("always within_size advise [never] deny force");
        assertThat(small.severity()).isEqualTo(Severity.NOTE);
        assertThat(small.advice()).contains("echo advise");
        assertThat(check.namespaces(false).severity()).isEqualTo(Severity.OK);
        Finding inside = check.namespaces(true);
        assertThat(inside.found()).contains("pid:[").contains("ipc:[");
        assertThat(inside.advice()).contains("PID namespace").contains("XDG_RUNTIME_DIR");
    }

    @Test
    void interruptsBelongOnSeveralCpusOfTheNicsNode() {
        InterruptCheck check = new InterruptCheck();
        List<Interrupt> crowded = List.of(line(1, "2"), line(2, "2"), line(3, "2"));
        assertThat(check.judge(nic(0), crowded, NODES).severity()).isEqualTo(Severity.WARNING);
        assertThat(check.judge(nic(0), crowded, NODES).found()).isEqualTo("all 3 interrupts are served by CPU 2");
        Finding far = check.judge(nic(0), List.of(line(1, "2"), line(2, "5")), NODES);
        assertThat(far.severity()).isEqualTo(Severity.WARNING);
        assertThat(far.found()).contains("CPUs 5, which are not on its NUMA node 0");
        assertThat(check.judge(nic(0), List.of(line(1, "2"), line(2, "1"), line(3, "0")), NODES)
                        .severity())
                .isEqualTo(Severity.OK);
        assertThat(check.judge(nic(-1), List.of(line(1, "2"), line(2, "5"), line(3, "0")), NODES)
                        .severity())
                .isEqualTo(Severity.OK);
    }

    @Test
    void aProcessKeptOffTheNicsNodeIsTold() {
        NumaCheck check = new NumaCheck();
        assertThat(check.judge(CpuSet.parse("0-3"), NODES, List.of(nic(1))))
                .first()
                .satisfies(f -> {
                    assertThat(f.severity()).isEqualTo(Severity.WARNING);
                    assertThat(f.found()).contains("NUMA node 1 with CPUs 4-7, of which this process may use none");
                });
        assertThat(check.judge(CpuSet.parse("0-4"), NODES, List.of(nic(1))))
                .extracting(Finding::severity)
                .containsExactly(Severity.OK);
    }

    @Test
    void aRuntimeThatMayMovePinnedMemoryIsTold() {
        JavaCheck check = new JavaCheck();
        assertThat(check.judge(Runtime.Version.parse("25.0.2")).severity()).isEqualTo(Severity.WARNING);
        assertThat(check.judge(Runtime.Version.parse("25.0.3+9")).severity()).isEqualTo(Severity.OK);
        assertThat(check.judge(Runtime.Version.parse("26")).severity()).isEqualTo(Severity.OK);
    }

    private static Topology.Place place(String name, String path) {
        return new Topology.Place(name, "/sys/devices/pci0000:00/" + path, 0);
    }

    /** Two switches with a GPU each; on the first is eth1, on the second what {@code second} says. */
    private static Topology machine(Topology.Place... more) {
        List<Topology.Place> nics = new ArrayList<>(List.of(
                place("eth0", "0000:00:07.0"), place("eth1", "0000:00:01.0/0000:04:00.0/0000:05:01.0/0000:06:00.0")));
        nics.addAll(List.of(more));
        return new Topology(
                NODES,
                List.of(
                        place("GPU 0", "0000:00:01.0/0000:04:00.0/0000:05:00.0/0000:07:00.0"),
                        place("GPU 1", "0000:00:02.0/0000:14:00.0/0000:15:00.0/0000:17:00.0")),
                nics);
    }

    @Test
    void aNicThatTookTheSlotOfAGpusNicIsTold() {
        GpuSlotCheck check = new GpuSlotCheck();
        Topology.Place second = place("eth2", "0000:00:02.0/0000:14:00.0/0000:15:01.0/0000:16:00.0");
        assertThat(check.judge(machine(second), List.of("eth1", "eth2"), "eth0"))
                .isEmpty();
        assertThat(check.judge(machine(second), List.of("eth1"), "eth0"))
                .singleElement()
                .satisfies(f -> assertThat(f.severity()).isEqualTo(Severity.WARNING))
                .satisfies(f -> assertThat(f.subject()).isEqualTo("eth2"))
                .satisfies(f -> assertThat(f.found()).contains("slot of a GPU's NIC (0000:16:00.0, beside GPU 1)"));
        // it carries the default route: control, whoever counts it among the job's
        assertThat(check.judge(machine(second), List.of("eth1", "eth2"), "eth2"))
                .hasSize(1);
        Topology.Place third = place("eth3", "0000:00:02.0/0000:14:00.0/0000:15:02.0/0000:18:00.0");
        assertThat(check.judge(machine(second, third), List.of("eth1", "eth2"), "eth0"))
                .isEmpty();
        assertThat(check.judge(machine(), List.of("eth0"), "eth0")).isEmpty();
    }

    @Test
    void gpusThatAreNotShownAreToldWithTheReason() {
        List<PciGpu> eight = IntStream.range(0, 8)
                .mapToObj(g -> new PciGpu("0000:0" + g + ":00.0", g == 5 ? "vfio-pci" : "nvidia"))
                .toList();
        List<PciGpu> all = IntStream.range(0, 8)
                .mapToObj(g -> new PciGpu("0000:0" + g + ":00.0", "nvidia"))
                .toList();
        assertThat(new VisibleGpus(all, 8, 8, Map.of()).judge("gpu")).isEmpty();
        assertThat(new VisibleGpus(List.of(), 2, 0, Map.of()).judge("gpu")).isEmpty();
        assertThat(said(new VisibleGpus(eight, 7, 7, Map.of())))
                .contains("8 GPUs are on the PCI bus, CUDA shows 7", "driver does not have 0000:05:00.0 (vfio-pci)");
        assertThat(said(new VisibleGpus(all, 7, 7, Map.of()))).contains("7 device files /dev/nvidiaN");
        assertThat(said(new VisibleGpus(all, 7, 8, Map.of()))).contains("a GPU has failed");
        assertThat(said(new VisibleGpus(all, 2, 8, Map.of("CUDA_VISIBLE_DEVICES", "0,1"))))
                .contains("the environment says CUDA_VISIBLE_DEVICES=0,1");
    }

    private static String said(VisibleGpus gpus) {
        return gpus.judge("gpu").getFirst().found();
    }

    @Test
    void limitsOfAContainerAreToldBeforeTheyHurt() {
        GroupCheck check = new GroupCheck();
        JobPlan plan = new JobPlan(List.of(), "tcp", null, null, "host", 8, 8, 1, 20000, 1L << 30, "", "", List.of());
        MemoryRoom memory = new MemoryRoom(100L << 30, "the control group /a leaves");
        ThreadRoom threads = new ThreadRoom(Long.MAX_VALUE, "", "");
        CpuQuota quota = new CpuQuota(4, Path.of("/sys/fs/cgroup/a"));
        assertThat(check.judge(plan, memory, threads, Optional.of(quota), 4))
                .allMatch(f -> f.severity() == Severity.OK);
        assertThat(check.judge(plan, memory, threads, Optional.of(quota), 16))
                .anyMatch(f -> f.severity() == Severity.WARNING
                        && f.found().contains("/sys/fs/cgroup/a allows 4.0 CPUs of 16"));
        assertThat(check.judge(
                        plan, new MemoryRoom(8L << 30, "the control group /a leaves"), threads, Optional.empty(), 4))
                .anyMatch(
                        f -> f.severity() == Severity.PROBLEM && f.found().contains("8 host GPUs of 1 GiB do not fit"));
        assertThat(check.judge(
                        plan,
                        memory,
                        new ThreadRoom(50, "the control group /a allows 50", "raise it"),
                        Optional.empty(),
                        4))
                .anyMatch(f -> f.severity() == Severity.PROBLEM && f.found().contains("may need 56"));
    }

    @Test
    void overSocketsMoreGpusTakeNeitherMoreConnectionsNorThreadsForThem() {
        JobCost one = JobCost.of(plan("tcp", 1, 8), 16);
        JobCost eight = JobCost.of(plan("tcp", 8, 8), 16);
        assertThat(eight.sockets()).isEqualTo(one.sockets()).isEqualTo(16);
        assertThat(eight.threads() - one.threads()).isEqualTo(7); // an agent each
        assertThat(eight.threads()).isEqualTo(40 + 8 + 2 * 16);
        JobCost plugin = JobCost.of(plan("nccl-net", 8, 8), 16);
        assertThat(plugin.sockets()).isEqualTo(8 * (16 + 16));
        assertThat(plugin.threads()).isEqualTo(40 + 8 * 17);
    }

    private static JobPlan plan(String transport, int gpus, int channels) {
        return new JobPlan(List.of(), transport, null, null, "host", gpus, channels, 1, 20000, 1, "", "", List.of());
    }

    @Test
    void thePlatformIsKnownByWhatIsSetForIt() {
        JobPlan plan = new JobPlan(List.of(), "tcp", null, null, "host", 8, 8, 1, 20000, 1, "", "", List.of());
        assertThat(PlatformCheck.profile(plan, Map.of())).isEmpty();
        assertThat(PlatformCheck.profile(plan, Map.of("NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX", "/run/tcpx")))
                .isEmpty();
        assertThat(PlatformCheck.profile(plan, Map.of("NCCL_GPUDIRECTTCPX_RECV_SYNC", "1")))
                .contains("a3-high");
        assertThat(PlatformCheck.profile(plan, Map.of("NCCL_FASTRAK_NUM_FLOWS", "2")))
                .contains("a3-mega");
    }
}
