package org.sluice;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A NIC of this node's transport.
 *
 * @param name its field name, {@code eth1}; unique within a transport
 * @param kernelDevice the kernel network device whose counters it shows up in ({@code lo} for {@code lo3}); null if none
 * @param addresses its IP addresses with prefix length ({@code 10.1.0.2/24}), best first; empty where the transport does not say
 * @param pciPath canonical sysfs path of the PCI device; null where there is none
 * @param numaNode NUMA node, -1 where unknown
 * @param bitsPerSecond link speed, 0 where unknown
 * @param scatters whether received chunks arrive in bounce-buffer pages and need an unpack
 */
public record NicInfo(
        String name,
        @Nullable String kernelDevice,
        List<String> addresses,
        @Nullable String pciPath,
        int numaNode,
        long bitsPerSecond,
        boolean scatters) {
    public NicInfo {
        addresses = List.copyOf(addresses);
    }
}
