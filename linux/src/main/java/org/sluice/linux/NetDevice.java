package org.sluice.linux;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A network device of the kernel, as it was when it was read.
 *
 * @param name {@code eth1}
 * @param index the kernel's number for it in this network namespace
 * @param up whether it is set up
 * @param running whether it is up and can pass packets: the kernel's operational state, link and all
 * @param carrier whether there is a link; as {@code running} where the device does not tell
 * @param loopback whether it leads back to this host
 * @param mtu largest packet in bytes
 * @param bitsPerSecond link speed, 0 where unknown. Virtual devices say what they like: veth always 10 Gbit/s
 * @param driver name of the kernel driver, null where unknown
 * @param numaNode the NUMA node it hangs on, -1 where unknown
 * @param pciPath canonical sysfs path of its PCI device, null for a virtual device
 * @param rxQueues receive queues, 0 where unknown
 * @param txQueues transmit queues, 0 where unknown
 * @param kind what made it, by the kernel's name: {@code bridge}, {@code vlan}, {@code bond}, {@code veth}; null for hardware
 *     and for the loopback device
 * @param master index of the device it belongs to, as a port to its bridge; 0 for none
 * @param lower index of the device it stands on, as a VLAN on its NIC; 0 for none, and for one in another namespace
 * @param addresses its IP addresses: IPv4 first, in the order they were given; then IPv6, lasting ones first; link-local ones
 *     last. Without those that the kernel found taken by another host
 */
public record NetDevice(
        String name,
        int index,
        boolean up,
        boolean running,
        boolean carrier,
        boolean loopback,
        int mtu,
        long bitsPerSecond,
        @Nullable String driver,
        int numaNode,
        @Nullable String pciPath,
        int rxQueues,
        int txQueues,
        @Nullable String kind,
        int master,
        int lower,
        List<NetAddress> addresses) {
    public NetDevice {
        addresses = List.copyOf(addresses);
    }

    /** Whether it is a device of its own rather than one that the kernel makes of others. */
    public boolean hardware() {
        return kind == null && !loopback;
    }
}
