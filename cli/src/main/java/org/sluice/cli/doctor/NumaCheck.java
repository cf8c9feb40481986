package org.sluice.cli.doctor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.sluice.linux.CpuAffinity;
import org.sluice.linux.CpuSet;
import org.sluice.linux.NetDevice;
import org.sluice.linux.NumaNode;
import org.sluice.linux.Sysfs;

/** Whether the process may run near its NICs. */
final class NumaCheck implements Check {
    @Override
    public String name() {
        return "numa";
    }

    @Override
    public List<Finding> look(Patient patient) throws IOException {
        List<NumaNode> nodes = NumaNode.list(Sysfs.SYSTEM);
        return judge(CpuAffinity.process(), nodes, patient.nics());
    }

    List<Finding> judge(CpuSet usable, List<NumaNode> nodes, List<NetDevice> nics) {
        List<Finding> findings = new ArrayList<>();
        for (NetDevice d : nics) {
            CpuSet near = NumaNode.cpus(nodes, d.numaNode());
            if (nodes.size() > 1 && !near.isEmpty() && near.and(usable).isEmpty()) {
                findings.add(Finding.warning(
                        name(),
                        d.name(),
                        "hangs on NUMA node " + d.numaNode() + " with CPUs " + near
                                + ", of which this process may use none",
                        "let it: taskset, numactl, or the container's cpuset"));
            }
        }
        findings.add(Finding.ok(
                name(),
                "CPUs",
                usable.size() + " usable (" + usable + ") on " + nodes.size()
                        + (nodes.size() == 1 ? " NUMA node" : " NUMA nodes")));
        return findings;
    }
}
