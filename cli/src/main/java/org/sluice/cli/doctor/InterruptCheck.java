package org.sluice.cli.doctor;

import java.util.ArrayList;
import java.util.List;
import org.sluice.linux.CpuSet;
import org.sluice.linux.Interrupt;
import org.sluice.linux.NetDevice;
import org.sluice.linux.NumaNode;
import org.sluice.linux.Sysfs;

/** Where the interrupts of physical NICs are served. */
final class InterruptCheck implements Check {
    /** A NIC has some lines that are not for packets: link changes, commands. */
    private static final int FEW = 2;

    @Override
    public String name() {
        return "interrupts";
    }

    @Override
    public List<Finding> look(Patient patient) {
        List<Finding> findings = new ArrayList<>();
        List<NumaNode> nodes = NumaNode.list(Sysfs.SYSTEM);
        for (NetDevice d : patient.nics()) {
            List<Interrupt> lines = Interrupt.of(Sysfs.SYSTEM, Sysfs.PROCFS, d.pciPath());
            if (!lines.isEmpty()) {
                findings.add(judge(d, lines, nodes));
            }
        }
        return findings;
    }

    Finding judge(NetDevice d, List<Interrupt> lines, List<NumaNode> nodes) {
        CpuSet all = lines.stream().map(Interrupt::cpus).reduce(CpuSet.NONE, CpuSet::or);
        CpuSet near = NumaNode.cpus(nodes, d.numaNode());
        int cpus = nodes.stream().mapToInt(n -> n.cpus().size()).sum();
        if (all.size() == 1 && lines.size() > FEW && cpus > 1) {
            return Finding.warning(
                    name(),
                    d.name(),
                    "all " + lines.size() + " interrupts are served by CPU " + all,
                    "spread them: irqbalance, or /proc/irq/N/smp_affinity_list");
        }
        if (!near.isEmpty() && !all.within(near)) {
            return Finding.warning(
                    name(),
                    d.name(),
                    "interrupts are served by CPUs " + all.minus(near) + ", which are not on its NUMA node "
                            + d.numaNode(),
                    "move them to CPUs " + near + ": /proc/irq/N/smp_affinity_list");
        }
        return Finding.ok(name(), d.name(), lines.size() + " interrupts on CPUs " + all);
    }
}
