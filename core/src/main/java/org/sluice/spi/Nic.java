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
        Set<MemoryKind> memory,
        int maxRequests,
        long maxMessageBytes,
        boolean scatters) {
    public Nic {
        addresses = List.copyOf(addresses);
        memory = Set.copyOf(memory);
    }
}
