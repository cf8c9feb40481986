package org.sluice.engine;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sluice.Layout;
import org.sluice.LocalSide;
import org.sluice.Region;
import org.sluice.TransferRefusal;
import org.sluice.transfer.MemoryBlock;
import org.sluice.transfer.PieceCheck;
import org.sluice.transfer.PieceMap;
import org.sluice.transfer.SelectedPieces;

/**
 * A layout that was checked against its regions, and where it lies.
 *
 * @param selected what the map is made of, where it is a selection; given back with the memory
 */
record LocalLayout(
        OwnedRegion[] regions, PieceMap map, @Nullable SelectedPieces selected) {
    /** @param target whether it is written to @throws IllegalArgumentException when it cannot be */
    static LocalLayout of(LocalSide side, EngineLink link, boolean target) {
        return switch (side) {
            case Layout l -> of(l, link.gpu(), target);
            case PreparedLocal p -> p.whole(link, target);
            case PreparedLocal.Part p -> p.take(link, target);
            default -> throw new IllegalArgumentException("not a layout of this library: " + side);
        };
    }

    private static LocalLayout of(Layout layout, int gpu, boolean target) {
        OwnedRegion[] regions = regions(layout, gpu);
        MemoryBlock[] blocks = blocks(regions);
        check(layout, regions, PieceCheck.check(blocks, layout.pieces(), target));
        return new LocalLayout(regions, PieceMap.of(blocks, layout.pieces()), null);
    }

    /** @throws IllegalArgumentException for regions of another GPU */
    static OwnedRegion[] regions(Layout layout, int gpu) {
        List<Region> named = layout.regions();
        OwnedRegion[] regions = new OwnedRegion[named.size()];
        for (int i = 0; i < regions.length; i++) {
            regions[i] = OwnedRegion.of(named.get(i));
            if (regions[i].gpu() != gpu) {
                throw new IllegalArgumentException(
                        "the region is on GPU " + regions[i].gpu() + ", the link on GPU " + gpu);
            }
        }
        return regions;
    }

    static MemoryBlock[] blocks(OwnedRegion[] regions) {
        MemoryBlock[] blocks = new MemoryBlock[regions.length];
        for (int i = 0; i < blocks.length; i++) {
            blocks[i] = regions[i].block();
        }
        return blocks;
    }

    /** @throws IllegalArgumentException where there is a reason why it cannot be */
    static void check(Object layout, OwnedRegion[] regions, @Nullable TransferRefusal why) {
        if (why == TransferRefusal.OVERLAP) {
            throw new IllegalArgumentException(
                    layout + " is to be written to, but its pieces overlap, or one is named twice");
        }
        if (why != null) {
            throw new IndexOutOfBoundsException(layout + " is not inside its regions, the first of "
                    + (regions.length == 0 ? 0 : regions[0].size()) + " bytes");
        }
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
        if (selected != null) {
            selected.release();
        }
    }
}
