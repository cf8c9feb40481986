package org.sluice.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sluice.linux.CpuSet;
import org.sluice.linux.Interrupt;
import org.sluice.linux.NetDevice;
import org.sluice.linux.NumaNode;

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
}
