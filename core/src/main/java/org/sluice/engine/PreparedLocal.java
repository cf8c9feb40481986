package org.sluice.engine;

import java.nio.IntBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.sluice.Layout;
import org.sluice.LocalSide;
import org.sluice.PreparedLayout;
import org.sluice.transfer.MemoryBlock;
import org.sluice.transfer.PieceCheck;
import org.sluice.transfer.PreparedPieces;
import org.sluice.transfer.SelectedPieces;

/** A layout of this side's memory, checked once for transfers of one link. */
final class PreparedLocal implements PreparedLayout {
    private final EngineLink link;
    private final Layout layout;
    private final OwnedRegion[] regions;
    private final PreparedPieces pieces;
    private final LocalLayout whole;
    private volatile boolean closed;

    /** @throws IllegalArgumentException when the layout is not inside its regions, or those are not of the link's GPU */
    PreparedLocal(EngineLink link, Layout layout) {
        this.link = link;
        this.layout = layout;
        this.regions = LocalLayout.regions(layout, link.gpu());
        MemoryBlock[] blocks = LocalLayout.blocks(regions);
        LocalLayout.check(layout, regions, PieceCheck.check(blocks, layout.pieces(), false));
        this.pieces = PreparedPieces.of(blocks, layout.pieces());
        this.whole = new LocalLayout(regions, pieces.whole(), null);
    }

    @Override
    public long bytes() {
        return layout.bytes();
    }

    @Override
    public int count() {
        return SelectedPieces.countOf(layout.pieces());
    }

    @Override
    public LocalSide select(IntBuffer indices) {
        mustBeOpen();
        return new Part(this, link.transfers().selected(layout.pieces(), indices));
    }

    private void mustBeOpen() {
        if (closed) {
            throw new IllegalStateException("the prepared layout is closed");
        }
    }

    private void mustFit(EngineLink to) {
        mustBeOpen();
        if (to != link) {
            throw new IllegalArgumentException("the layout was prepared on another link");
        }
    }

    LocalLayout whole(EngineLink on, boolean target) {
        mustFit(on);
        LocalLayout.check(layout, regions, pieces.check(target));
        return whole;
    }

    @Override
    public void close() {
        closed = true;
    }

    @Override
    public String toString() {
        return "PreparedLayout[" + layout.pieces() + "]";
    }

    /** Some pieces of it, for one transfer. */
    static final class Part implements LocalSide {
        private final PreparedLocal of;
        private final SelectedPieces selected;
        private final long bytes;
        private final AtomicBoolean posted = new AtomicBoolean();

        private Part(PreparedLocal of, SelectedPieces selected) {
            this.of = of;
            this.selected = selected;
            this.bytes = selected.bytes();
        }

        @Override
        public long bytes() {
            return bytes;
        }

        LocalLayout take(EngineLink on, boolean target) {
            of.mustFit(on);
            if (posted.getAndSet(true)) {
                throw new IllegalStateException("a selection is for one transfer, this one was posted already");
            }
            LocalLayout.check(this, of.regions, selected.finish(of.pieces, target));
            return new LocalLayout(of.regions, selected.map(), selected);
        }

        @Override
        public String toString() {
            return "a selection of " + of;
        }
    }
}
