package org.sluice;

import java.util.ArrayList;
import java.util.List;

/**
 * Where a transfer's bytes lie on this side: an ordered list of pieces of regions of one GPU. The two sides of a transfer
 * have layouts of their own, only their lengths must be the same. Immutable, may be used by many transfers at once.
 */
public final class Layout implements LocalSide {
    private final List<Region> regions;
    private final Pieces pieces;

    private Layout(List<Region> regions, Pieces pieces) {
        this.regions = List.copyOf(regions);
        this.pieces = pieces;
    }

    /** Of any form. @param regions those that the pieces count; a form that is not a list has one */
    public static Layout of(List<Region> regions, Pieces pieces) {
        int needed = 1;
        if (pieces instanceof Pieces.Listed list) {
            needed = 0;
            for (int i = 0; i < list.count(); i++) {
                needed = Math.max(needed, list.region(i) + 1);
            }
        }
        if (regions.size() < needed) {
            throw new IllegalArgumentException(
                    "the pieces lie in " + needed + " regions, the layout has " + regions.size());
        }
        return new Layout(regions, pieces);
    }

    /** One piece. */
    public static Layout range(Region region, long offset, long bytes) {
        return new Layout(List.of(region), new Pieces.Range(offset, bytes));
    }

    /** A whole region. */
    public static Layout all(Region region) {
        return range(region, 0, region.size());
    }

    /** Blocks of one size, in this order: block <i>i</i> of the list begins at {@code base + indices[i] * blockBytes}. */
    public static Layout blocks(Region region, long base, long blockBytes, int... indices) {
        return new Layout(List.of(region), new Pieces.Blocks(base, blockBytes, indices));
    }

    /** {@code count} pieces of one size, {@code stride} bytes from the beginning of one to the beginning of the next. */
    public static Layout strided(Region region, long offset, long blockBytes, long stride, long count) {
        return strided(region, offset, blockBytes, stride, count, 0, 1);
    }

    /** {@code outerCount} times what the other method says, each {@code outerStride} bytes on: rows of a tensor's planes. */
    public static Layout strided(
            Region region, long offset, long blockBytes, long stride, long count, long outerStride, long outerCount) {
        return new Layout(
                List.of(region), new Pieces.Strided(offset, blockBytes, stride, count, outerStride, outerCount));
    }

    /** Begins a list of any pieces. */
    public static Builder list() {
        return new Builder();
    }

    /** The regions that its pieces lie in. */
    public List<Region> regions() {
        return regions;
    }

    public Pieces pieces() {
        return pieces;
    }

    @Override
    public long bytes() {
        return pieces.bytes();
    }

    @Override
    public String toString() {
        return "Layout[" + pieces + "]";
    }

    /** Lists pieces one by one. Belongs to one thread. */
    public static final class Builder {
        private final List<Region> regions = new ArrayList<>();
        private final List<Integer> region = new ArrayList<>();
        private final List<Long> offsets = new ArrayList<>();
        private final List<Long> lengths = new ArrayList<>();

        private Builder() {}

        /** One more piece behind those that are there. */
        public Builder add(Region of, long offset, long bytes) {
            int n = regions.indexOf(of);
            if (n < 0) {
                n = regions.size();
                regions.add(of);
            }
            region.add(n);
            offsets.add(offset);
            lengths.add(bytes);
            return this;
        }

        public Layout build() {
            return new Layout(
                    regions,
                    new Pieces.Listed(
                            region.stream().mapToInt(n -> n).toArray(),
                            offsets.stream().mapToLong(n -> n).toArray(),
                            lengths.stream().mapToLong(n -> n).toArray()));
        }
    }
}
