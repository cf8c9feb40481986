package org.sluice.data;

import org.jspecify.annotations.Nullable;

/** The regions of a GPU that peers may name, by their unguessable 128-bit keys. */
public interface RegionDirectory {
    @Nullable MemoryBlock find(long keyHigh, long keyLow);
}
