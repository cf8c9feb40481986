package org.sluice.cli.affinity;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.sluice.linux.CpuSet;
import org.sluice.linux.NumaNode;
import org.sluice.linux.OsThread;
import org.sluice.linux.ThreadPlacement.Asked;

/** On a machine with two NUMA nodes, which this one need not be. */
class AffinityReportTest {
    private static final CpuSet ALL = CpuSet.parse("0-7");
    private static final List<NumaNode> NODES =
            List.of(new NumaNode(0, CpuSet.parse("0-3")), new NumaNode(1, CpuSet.parse("4-7")));

    private static OsThread thread(int tid, String name, String mask) {
        return new OsThread(tid, name, CpuSet.parse(mask), 0);
    }

    @Test
    void whoBoundWhatAndWhatIsWrongIsTold() {
        AffinityReport report = AffinityReport.of(new AffinityReport.Evidence(
                ALL,
                NODES,
                Set.of(1, 2),
                Set.of("worker"),
                List.of(
                        thread(1, "java", "0-7"),
                        thread(2, "VM Thread", "0-7"),
                        thread(3, "gpu0-agent", "0-3"),
                        thread(4, "eth3-tx-0", "0-1"),
                        thread(5, "eth3-rx-0", "0-7"),
                        thread(6, "eth1-rx-0", "0-3"),
                        thread(7, "gpu0-agent", "4-5"),
                        thread(8, "gpu0-agent", "0-7"),
                        thread(9, "worker", "0-7")),
                Map.of(
                        3, new Asked("gpu0-agent", CpuSet.parse("0-3"), 0, "NUMA node 0 of GPU 0"),
                        4, new Asked("eth3-tx-0", CpuSet.parse("0-1"), 1, "tx bindings of eth3"),
                        5, new Asked("eth3-rx-0", null, 1, "affinity is off"),
                        6, new Asked("eth1-rx-0", CpuSet.parse("0-1"), 0, "rx bindings of eth1"))));

        assertThat(verdict(report, 1)).isEqualTo("JVM - null");
        assertThat(verdict(report, 3)).isEqualTo("SLUICE ok NUMA node 0 of GPU 0");
        assertThat(verdict(report, 4)).isEqualTo("SLUICE wrong NUMA node tx bindings of eth3");
        assertThat(verdict(report, 5)).isEqualTo("SLUICE wrong NUMA node null");
        assertThat(verdict(report, 6)).isEqualTo("SLUICE not as asked rx bindings of eth1");
        assertThat(verdict(report, 7)).isEqualTo("FOREIGN ok foreign code");
        assertThat(verdict(report, 8)).isEqualTo("FOREIGN unbound null");
        assertThat(verdict(report, 9)).isEqualTo("JAVA - null");
        assertThat(report.asIsAsked()).isFalse();
        assertThat(report.wrong()).isEqualTo(3);
        assertThat(report.unbound()).isEqualTo(1);
        assertThat(AffinityTable.of(report))
                .contains("besides 2 jvm threads on CPUs 0-7")
                .contains("wrong: 3, unbound: 1");
    }

    private static String verdict(AffinityReport report, int tid) {
        return report.threads().stream()
                .filter(r -> r.tid() == tid)
                .map(r -> r.owner() + " " + r.verdict() + " " + r.boundBy())
                .findFirst()
                .orElseThrow();
    }
}
