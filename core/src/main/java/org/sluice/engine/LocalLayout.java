package org.sluice.engine;

import java.util.List;
import org.sluice.Layout;
import org.sluice.Region;
import org.sluice.TransferRefusal;
import org.sluice.transfer.MemoryBlock;
import org.sluice.transfer.PieceCheck;
import org.sluice.transfer.PieceMap;

/** A layout that was checked against its regions, and where it lies. */
record LocalLayout(OwnedRegion[] regions, PieceMap map) {
    /** @param target whether it is written to @throws IllegalArgumentException when it cannot be */
    static LocalLayout of(Layout layout, int gpu, boolean target) {
        List<Region> named = layout.regions();
        OwnedRegion[] regions = new OwnedRegion[named.size()];
        MemoryBlock[] blocks = new MemoryBlock[regions.length];
        for (int i = 0; i < regions.length; i++) {
            regions[i] = OwnedRegion.of(named.get(i));
            blocks[i] = regions[i].block();
            if (regions[i].gpu() != gpu) {
                throw new IllegalArgumentException(
                        "the region is on GPU " + regions[i].gpu() + ", the link on GPU " + gpu);
            }
        }
        TransferRefusal why = PieceCheck.check(blocks, layout.pieces(), target);
        if (why == TransferRefusal.OVERLAP) {
            throw new IllegalArgumentException(layout + " is to be written to, but its pieces overlap");
        }
        if (why != null) {
            throw new IndexOutOfBoundsException(layout + " is not inside its regions, the first of "
                    + (regions.length == 0 ? 0 : regions[0].size()) + " bytes");
        }
        return new LocalLayout(regions, PieceMap.of(blocks, layout.pieces()));
    }

    /** Keeps the memory until {@link #release}. @throws IllegalStateException when a region is closed */
    void use() {
        for (int i = 0; i < regions.length; i++) {
            try {
                regions[i].use();
            } catch (IllegalStateException e) {
                while (--i >= 0) {
                    regions[i].release();
                }
                throw e;
            }
        }
    }

    void release() {
        for (OwnedRegion r : regions) {
            r.release();
        }
    }
}
