package org.sluice.transfer;

import org.jspecify.annotations.Nullable;

/** The regions of a GPU that peers may name, by their unguessable 128-bit keys. */
public interface RegionDirectory {
    /** Takes hold of a region, so that its memory stays for as long as a peer reads or writes it. Null where no region has the key. */
    @Nullable Claim claim(long keyHigh, long keyLow);

    /** A region that is held. */
    interface Claim {
        MemoryBlock block();

        /** Whether the key gives the right to write, or to read. */
        boolean allows(boolean write);

        /** Lets go of it. Called once. */
        void release();
    }
}
