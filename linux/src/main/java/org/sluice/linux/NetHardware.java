package org.sluice.linux;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What sysfs tells of the hardware behind a network device. */
record NetHardware(
        long bitsPerSecond,
        @Nullable String driver,
        int numaNode,
        @Nullable String pciPath,
        int rxQueues,
        int txQueues) {
    private static final long MEGABIT = 1_000_000;

    /** @param folder the device's folder under the root, with a slash at its end: {@code class/net/eth1/} */
    static NetHardware read(Sysfs sysfs, String folder) {
        String pciPath = PciPath.of(sysfs.canonical(folder + "device"));
        long numaNode = sysfs.number(folder + "device/numa_node", -1);
        if (numaNode < 0 && pciPath != null) {
            numaNode = sysfs.number(pciPath.substring("/sys/".length()) + "/numa_node", -1);
        }
        String driver = sysfs.canonical(folder + "device/driver");
        List<String> queues = sysfs.names(folder + "queues");
        return new NetHardware(
                Math.max(0, sysfs.number(folder + "speed", 0)) * MEGABIT,
                driver == null ? null : driver.substring(driver.lastIndexOf('/') + 1),
                (int) numaNode,
                pciPath,
                (int) queues.stream().filter(q -> q.startsWith("rx-")).count(),
                (int) queues.stream().filter(q -> q.startsWith("tx-")).count());
    }
}
