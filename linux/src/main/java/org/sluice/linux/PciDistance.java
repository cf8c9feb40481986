package org.sluice.linux;

import org.jspecify.annotations.Nullable;

/** What lies between two devices, in the words and the order of {@code nvidia-smi topo -m}, nearest first. */
public enum PciDistance {
    SELF("X", "the device itself"),
    PIX("PIX", "at most one PCIe switch"),
    PXB("PXB", "several PCIe switches, and no host bridge"),
    PHB("PHB", "a PCIe host bridge, mostly the CPU"),
    NODE("NODE", "the interconnect between host bridges of one NUMA node"),
    SYS("SYS", "the interconnect between NUMA nodes"),
    UNKNOWN("?", "not known: one of the two is on no PCI bus");

    private final String symbol;
    private final String meaning;

    PciDistance(String symbol, String meaning) {
        this.symbol = symbol;
        this.meaning = meaning;
    }

    /** As the matrix prints it. */
    public String symbol() {
        return symbol;
    }

    /** What has to be crossed. */
    public String meaning() {
        return meaning;
    }

    /**
     * The distance of two PCI devices. A PCIe switch is an upstream bridge with a downstream bridge for each port, so two devices
     * of one switch share a bridge and have at most one more each.
     *
     * @param one canonical sysfs path, {@code /sys/devices/pci0000:00/...}; null for a device on no PCI bus
     * @param sameNuma whether both hang on one NUMA node
     */
    static PciDistance between(@Nullable String one, @Nullable String other, boolean sameNuma) {
        if (one == null || other == null) {
            return UNKNOWN;
        }
        if (one.equals(other)) {
            return SELF;
        }
        String[] a = PciPath.steps(one);
        String[] b = PciPath.steps(other);
        int shared = 0;
        while (shared < Math.min(a.length, b.length) && a[shared].equals(b[shared])) {
            shared++;
        }
        if (shared == 0) {
            return sameNuma ? NODE : SYS;
        }
        if (shared == 1) {
            return PHB;
        }
        return Math.max(a.length, b.length) - shared <= 2 ? PIX : PXB;
    }
}
