package org.sluice.transfer;

import org.sluice.spi.GpuMemory;

/**
 * Memory that transfers move bytes from and to.
 *
 * @param memory where it is
 * @param number small and unique among the live blocks of a GPU: the index of its registrations on each channel
 */
public record MemoryBlock(GpuMemory memory, int number) {}
