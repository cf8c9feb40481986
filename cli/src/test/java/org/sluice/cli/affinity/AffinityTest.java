package org.sluice.cli.affinity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.sluice.cli.SluiceProcess;
import org.sluice.cli.common.ExitCode;
import org.sluice.linux.CpuAffinity;
import org.sluice.linux.CpuSet;

/** Affinity asked for is affinity found, for every thread of a running node. */
class AffinityTest {
    private static final Pattern ROW =
            Pattern.compile("\"name\": \"([^\"]*)\",\\s+\"owner\": \"sluice\",\\s+\"mask\": \"([^\"]*)\"");

    @Test
    void everyThreadOfATransportHasTheCpusItsBindingNames() throws Exception {
        int[] cpus = CpuAffinity.process().stream().toArray();
        assumeTrue(cpus.length >= 2, "binding to different CPUs takes two");
        String tx = "lo1:" + cpus[0] + ";lo2:" + cpus[1];
        String rx = "lo1:" + cpus[1] + ";lo2:" + cpus[0] + "," + cpus[1];
        SluiceProcess.Result r = SluiceProcess.run(
                SluiceProcess.command(
                        "affinity",
                        "--json",
                        "--gpus=1",
                        "--channels=4",
                        "--nics=lo1,lo2",
                        "--backend=host",
                        "--rx-bindings=" + rx),
                Map.of("NCCL_GPUDIRECTTCPX_TX_BINDINGS", tx));
        assertThat(r.status()).as(r.err()).isZero();
        Map<String, String> masks = new LinkedHashMap<>();
        for (Matcher m = ROW.matcher(r.out()); m.find(); ) {
            masks.put(m.group(1), m.group(2));
        }
        String both = CpuAffinity.process().and(CpuSet.of(cpus[0], cpus[1])).toString();
        assertThat(masks).containsEntry("lo1-tx-0", Integer.toString(cpus[0]));
        assertThat(masks).containsEntry("lo2-tx-0", Integer.toString(cpus[1]));
        assertThat(masks).containsEntry("lo1-rx-0", Integer.toString(cpus[1]));
        assertThat(masks).containsEntry("lo2-rx-0", both);
        assertThat(masks).containsKey("gpu0-agent");
        assertThat(r.out()).contains("\"asIsAsked\": true").contains("\"wrong\": 0");
    }

    @Test
    void aWrongBindingIsToldWithItsPosition() throws Exception {
        SluiceProcess.Result r = SluiceProcess.run(
                SluiceProcess.command("affinity", "--gpus=1", "--tx-bindings=eth1:0;eth2:0-"), Map.of());
        assertThat(r.status()).isEqualTo(ExitCode.CONFIGURATION);
        assertThat(r.err())
                .contains("sluice: tx bindings at position 15: a CPU number must be here, not the end; eth1:0;eth2:0-");
    }
}
