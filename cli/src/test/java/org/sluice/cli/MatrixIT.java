package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.testkit.Cluster;
import org.sluice.testkit.Namespaces;

/** The matrix of hosts with NICs of which some are not as the others. */
@Timeout(240)
class MatrixIT {
    private static final int HOSTS = 4;

    @Test
    void aSlowNicAndALossyOneAreNamedAndNothingElseIs() throws Exception {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
        try (Cluster cluster = Cluster.up("matrix", HOSTS, 2, "100mbit")) {
            cluster.rate(2, 1, "25mbit");
            cluster.lose(1, 2, 30);
            List<JarProcess> ranks = new ArrayList<>();
            try {
                for (int h = HOSTS - 1; h >= 0; h--) { // rank 0 comes last
                    int host = h;
                    Map<String, String> slurm = Map.of(
                            "SLURM_PROCID",
                            Integer.toString(h),
                            "SLURM_NTASKS",
                            Integer.toString(HOSTS),
                            "SLURM_JOB_NODELIST",
                            "10.100.0.[1-" + HOSTS + "]",
                            "SLURM_JOB_ID",
                            "4711",
                            "SLUICE_SECRET",
                            "the secret of the job",
                            "JAVA_TOOL_OPTIONS",
                            "-Xmx96m -XX:TieredStopAtLevel=1");
                    ranks.addFirst(JarProcess.start(
                            line -> cluster.command(host, line),
                            slurm,
                            "matrix",
                            "--backend=host",
                            "--nics=" + cluster.nics(),
                            "--channels=4",
                            "--chunk=32KiB",
                            "--size=2MiB",
                            "--time=1s",
                            "--name=host-" + h));
                }
                for (JarProcess r : ranks) {
                    assertThat(r.await()).as(r.out() + r.err()).isEqualTo(6);
                }
                assertThat(ranks.getFirst().err()).contains("rank 0 of 4, meeting at 10.100.0.1:20900", "SLURM_PROCID");
                String out = ranks.getFirst().out();
                List<String> named = out.lines().filter(l -> l.startsWith("- ")).toList();
                assertThat(named).as(out).hasSize(2);
                assertThat(named)
                        .as(out)
                        .anyMatch(l -> l.startsWith("- NIC eth1 of rank 2 (host-2): sends and receives at "));
                assertThat(named)
                        .as(out)
                        .anyMatch(l -> l.startsWith("- NIC eth2 of rank 1 (host-1): ") && l.contains("are sent again"));
                assertThat(out).contains("NOT VALID: 2 things stand out");
                for (JarProcess r : ranks.subList(1, HOSTS)) {
                    assertThat(r.out()).isEmpty();
                    assertThat(r.err()).contains("rank 0 says: NOT VALID");
                }
            } finally {
                for (JarProcess r : ranks) {
                    r.close();
                }
            }
        }
    }
}
