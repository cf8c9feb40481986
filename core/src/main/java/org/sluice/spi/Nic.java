package org.sluice.spi;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A network device as a transport sees it: the {@code properties} of the NCCL contract.
 *
 * @param device the transport's own number for it, from 0
 * @param name its field name, {@code eth1}; unique within a transport
 * @param kernelDevice the kernel network device whose counters it shows up in ({@code lo} for {@code lo3}); null if none
 * @param addresses its IP addresses with prefix length ({@code 10.1.0.2/24}), best first; empty where the transport does not say
 * @param pciPath canonical sysfs path of the PCI device; null where there is none
 * @param numaNode NUMA node, -1 where unknown
 * @param bitsPerSecond link speed, 0 where unknown
 * @param wire the same number, 0 to 255, for NICs that share a cable, as a VLAN and the NIC it stands on
 * @param memory the kinds of memory it sends from and receives into
 * @param maxRequests most requests in flight on one channel, counting receives not yet consumed
 * @param maxMessageBytes longest single send or receive
 * @param scatters whether received chunks arrive in bounce-buffer pages and need an unpack
 */
public record Nic(
        int device,
        String name,
        @Nullable String kernelDevice,
        List<String> addresses,
        @Nullable String pciPath,
        int numaNode,
        long bitsPerSecond,
        int wire,
        Set<MemoryKind> memory,
        int maxRequests,
        long maxMessageBytes,
        boolean scatters) {
    public Nic {
        addresses = List.copyOf(addresses);
        memory = Set.copyOf(memory);
    }

    /** The same NIC with another number for its wire. */
    public Nic onWire(int number) {
        return new Nic(
                device,
                name,
                kernelDevice,
                addresses,
                pciPath,
                numaNode,
                bitsPerSecond,
                number,
                memory,
                maxRequests,
                maxMessageBytes,
                scatters);
    }
}
