package org.sluice.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Where the GPUs, NICs and CPUs of a machine lie and how far they are from each other.
 *
 * @param numaNodes nodes with CPUs
 * @param gpus in the caller's order
 * @param nics in the caller's order
 */
public record Topology(List<NumaNode> numaNodes, List<Place> gpus, List<Place> nics) {
    /**
     * A device's place.
     *
     * @param name {@code GPU0}, {@code eth1}
     * @param pciPath canonical sysfs path, null for a device on no PCI bus
     * @param numaNode -1 where unknown
     */
    public record Place(String name, @Nullable String pciPath, int numaNode) {
        /** {@code 0000:04:00.0}; null for a device on no PCI bus. */
        public @Nullable String pciAddress() {
            return pciPath == null ? null : pciPath.substring(pciPath.lastIndexOf('/') + 1);
        }
    }

    /** A GPU as its driver names it. @param pciBusId {@code 0000:04:00.0}, null for a host GPU */
    public record GpuAddress(String name, @Nullable String pciBusId) {}

    public Topology {
        numaNodes = List.copyOf(numaNodes);
        gpus = List.copyOf(gpus);
        nics = List.copyOf(nics);
    }

    /** Reads the places from a sysfs tree. @param nics names of network devices; what the tree does not have has no place */
    public static Topology read(Sysfs sysfs, List<GpuAddress> gpus, List<String> nics) {
        List<Place> gpuPlaces = new ArrayList<>();
        for (GpuAddress g : gpus) {
            String folder = g.pciBusId() == null
                    ? null
                    : "bus/pci/devices/" + g.pciBusId().toLowerCase(Locale.ROOT);
            gpuPlaces.add(new Place(
                    g.name(),
                    folder == null ? null : PciPath.of(sysfs.canonical(folder)),
                    folder == null ? -1 : (int) sysfs.number(folder + "/numa_node", -1)));
        }
        List<Place> nicPlaces = new ArrayList<>();
        for (String nic : nics) {
            NetHardware hardware = NetHardware.read(sysfs, "class/net/" + nic + "/");
            nicPlaces.add(new Place(nic, hardware.pciPath(), hardware.numaNode()));
        }
        return new Topology(NumaNode.list(sysfs), gpuPlaces, nicPlaces);
    }

    /** What lies between two devices, GPUs or NICs. */
    public PciDistance distance(Place one, Place other) {
        if (one.equals(other)) {
            return PciDistance.SELF;
        }
        boolean sameNuma = numaNodes.size() == 1 || (one.numaNode() >= 0 && one.numaNode() == other.numaNode());
        return PciDistance.between(one.pciPath(), other.pciPath(), sameNuma);
    }

    /** The CPUs near a device: its NUMA node's; every CPU where the node is unknown. */
    public CpuSet cpusNear(Place place) {
        return numaNodes.stream()
                .filter(n -> place.numaNode() < 0 || n.id() == place.numaNode())
                .map(NumaNode::cpus)
                .reduce(CpuSet.NONE, CpuSet::or);
    }
}
