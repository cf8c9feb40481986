package org.sluice.linux;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** CPUs that share a memory controller. */
public record NumaNode(int id, CpuSet cpus) {
    private static final String FOLDER = "devices/system/node";

    /** The nodes that have CPUs, by number; one node 0 with every CPU where the kernel knows no NUMA. */
    public static List<NumaNode> list(Sysfs sysfs) {
        List<NumaNode> nodes = new ArrayList<>();
        for (String name : sysfs.names(FOLDER)) {
            String cpus = name.matches("node[0-9]+") ? sysfs.text(FOLDER + "/" + name + "/cpulist") : null;
            if (cpus != null) {
                nodes.add(new NumaNode(Integer.parseInt(name.substring("node".length())), CpuSet.parse(cpus)));
            }
        }
        if (nodes.isEmpty()) {
            nodes.add(new NumaNode(0, onlineCpus(sysfs)));
        }
        nodes.sort(Comparator.comparingInt(NumaNode::id));
        return List.copyOf(nodes);
    }

    /** The CPUs of a node; none for a node that does not exist. */
    public static CpuSet cpus(List<NumaNode> nodes, int id) {
        return nodes.stream()
                .filter(n -> n.id() == id)
                .findFirst()
                .map(NumaNode::cpus)
                .orElse(CpuSet.NONE);
    }

    /** The machine's CPUs that are online, whether this process may use them or not. */
    public static CpuSet onlineCpus(Sysfs sysfs) {
        @Nullable String online = sysfs.text("devices/system/cpu/online");
        return online == null ? CpuSet.of(0) : CpuSet.parse(online);
    }
}
