package org.sluice;

import org.jspecify.annotations.Nullable;

/**
 * A GPU of this node.
 *
 * @param id the number the user knows it by, from 0
 * @param name model, as the driver says it: {@code NVIDIA H200}; {@code host} for a host GPU
 * @param pciBusId PCI address as in sysfs, lower case ({@code 0000:04:00.0}); null where there is none
 * @param numaNode the NUMA node it hangs on, -1 where unknown
 */
public record GpuInfo(int id, String name, @Nullable String pciBusId, int numaNode) {}
