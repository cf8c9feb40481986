package org.sluice.engine;

import java.nio.IntBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.sluice.PreparedRemoteLayout;
import org.sluice.RemoteLayout;
import org.sluice.RemoteSide;
import org.sluice.transfer.PeerPlace;
import org.sluice.transfer.PreparedPlace;
import org.sluice.transfer.SelectedPieces;

/** A layout of the peer's regions that the peer was told for many transfers of one link. */
final class PreparedRemote implements PreparedRemoteLayout {
    private final EngineLink link;
    private final RemoteLayout layout;
    private final PreparedPlace place;
    private final PeerPlace whole;
    private final AtomicBoolean closed = new AtomicBoolean();

    PreparedRemote(EngineLink link, RemoteLayout layout, PreparedPlace place) {
        this.link = link;
        this.layout = layout;
        this.place = place;
        this.whole = new PeerPlace.Whole(place);
    }

    /** What a transfer of the link names. @throws IllegalArgumentException when it cannot */
    static PeerPlace of(RemoteSide side, EngineLink link) {
        return switch (side) {
            case RemoteLayout l -> new PeerPlace.Listed(l);
            case PreparedRemote p -> p.whole(link);
            case Part p -> p.take(link);
            default -> throw new IllegalArgumentException("not a layout of this library: " + side);
        };
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
    public RemoteSide select(IntBuffer indices) {
        mustBeOpen();
        return new Part(this, link.transfers().selected(layout.pieces(), indices));
    }

    private void mustBeOpen() {
        if (closed.get()) {
            throw new IllegalStateException("the prepared layout is closed");
        }
    }

    private void mustFit(EngineLink to) {
        mustBeOpen();
        if (to != link) {
            throw new IllegalArgumentException("the layout was prepared on another link");
        }
    }

    private PeerPlace whole(EngineLink on) {
        mustFit(on);
        return whole;
    }

    @Override
    public void close() {
        if (!closed.getAndSet(true)) {
            link.transfers().release(place);
        }
    }

    @Override
    public String toString() {
        return "PreparedRemoteLayout[" + layout.pieces() + "]";
    }

    /** Some pieces of it, for one transfer. */
    static final class Part implements RemoteSide {
        private final PreparedRemote of;
        private final SelectedPieces selected;
        private final long bytes;
        private final AtomicBoolean posted = new AtomicBoolean();

        private Part(PreparedRemote of, SelectedPieces selected) {
            this.of = of;
            this.selected = selected;
            this.bytes = selected.bytes();
        }

        @Override
        public long bytes() {
            return bytes;
        }

        private PeerPlace take(EngineLink on) {
            of.mustFit(on);
            if (posted.getAndSet(true)) {
                throw new IllegalStateException("a selection is for one transfer, this one was posted already");
            }
            return new PeerPlace.Part(of.place, selected);
        }

        @Override
        public String toString() {
            return "a selection of " + of;
        }
    }
}
