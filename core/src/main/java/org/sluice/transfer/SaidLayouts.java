package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.ClosedException;
import org.sluice.ErrorCode;
import org.sluice.Link;
import org.sluice.LinkException;
import org.sluice.Pieces;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.SluiceException;
import org.sluice.Where;

/**
 * The layouts of the peer's regions that this side has said, for one transfer or for many, and what they take there. Belongs to the
 * agent.
 */
final class SaidLayouts {
    /** Less than a peer takes: it may forget one later than this side does. */
    private static final long MOST_BYTES = PeerAccess.MOST_LAYOUT_BYTES / 4 * 3;

    private final Where where;
    private final LinkControl control;
    private int numbers;
    private long bytes;
    private int prepared;
    private long preparedBytes;

    SaidLayouts(Where where, LinkControl control) {
        this.where = where;
        this.control = control;
    }

    private static boolean isSaid(RemoteLayout layout) {
        return !(layout.pieces() instanceof Pieces.Range);
    }

    /** What a place takes at the peer until its transfer ends. */
    private static long cost(PeerPlace place) {
        return switch (place) {
            case PeerPlace.Listed l -> isSaid(l.layout()) ? PeerAccess.bytes(l.layout()) : 0;
            case PeerPlace.Whole w -> 0;
            case PeerPlace.Part p -> PeerAccess.bytes(p.selected().count());
        };
    }

    boolean hasRoom(@Nullable PeerPlace place) {
        return hasRoom(place, null);
    }

    /** Whether both may be said. @param source where the bytes lie on this side; null where that is not said */
    boolean hasRoom(@Nullable PeerPlace place, @Nullable PeerPlace source) {
        long both = (place == null ? 0 : cost(place)) + (source == null ? 0 : cost(source));
        return both == 0 || bytes == 0 || bytes + both <= MOST_BYTES; // two of the largest have less room than there is
    }

    /** Says a layout that transfers will name from now on. */
    void prepare(PreparedPlace place) {
        long cost = PeerAccess.bytes(place.layout);
        if (prepared == Link.MOST_PREPARED || preparedBytes + cost > Link.MOST_PREPARED_BYTES) {
            place.refused = new LinkException(
                    ErrorCode.LIMIT,
                    where,
                    prepared + " layouts of " + preparedBytes + " bytes are prepared, one of " + cost
                            + " more is too much: a link has " + Link.MOST_PREPARED + " of " + Link.MOST_PREPARED_BYTES
                            + " bytes; close some");
            return;
        }
        prepared++;
        preparedBytes += cost;
        place.number = numbers++;
        control.prepare(place.number);
        control.layout(place.number, place.layout);
    }

    /** No transfer will name it any more: the peer forgets it once those that do have ended. */
    void close(PreparedPlace place) {
        if (!place.closed) {
            place.closed = true;
            releaseUnused(place);
        }
    }

    private void releaseUnused(PreparedPlace place) {
        if (place.closed && place.users == 0 && place.number >= 0) {
            prepared--;
            preparedBytes -= PeerAccess.bytes(place.layout);
            control.release(place.number);
            place.number = -1;
        }
    }

    /** Why a transfer cannot name this; null where it can. */
    @Nullable SluiceException refusal(PeerPlace place) {
        return switch (place) {
            case PeerPlace.Listed _ -> null;
            case PeerPlace.Whole w -> refusal(w.of());
            case PeerPlace.Part p -> refusal(p.of());
        };
    }

    private @Nullable SluiceException refusal(PreparedPlace place) {
        return place.closed ? new ClosedException(where, "the prepared layout is closed") : place.refused;
    }

    /** A transfer with it was posted. */
    void posted(@Nullable PeerPlace place) {
        switch (place) {
            case PeerPlace.Whole w -> w.of().users++;
            case PeerPlace.Part p -> p.of().users++;
            case PeerPlace.Listed _ -> {}
            case null -> {}
        }
    }

    /** What an announcement says of it. */
    static int flag(PeerPlace place) {
        return switch (place) {
            case PeerPlace.Listed l -> isSaid(l.layout()) ? Announcement.LAYOUT : 0;
            case PeerPlace.Whole w -> Announcement.PREPARED;
            case PeerPlace.Part p -> Announcement.LAYOUT;
        };
    }

    static RemoteRegion region(PeerPlace place) {
        return place instanceof PeerPlace.Listed l && !isSaid(l.layout())
                ? l.layout().regions().getFirst()
                : PeerPlace.NO_REGION;
    }

    static long offset(PeerPlace place) {
        return place instanceof PeerPlace.Listed l && l.layout().pieces() instanceof Pieces.Range r ? r.offset() : 0;
    }

    /** Says it, just before the announcement of its transfer. @return the number that the announcement names */
    int say(PeerPlace place) {
        bytes += cost(place);
        return switch (place) {
            case PeerPlace.Listed l when !isSaid(l.layout()) -> 0;
            case PeerPlace.Listed l -> {
                control.layout(numbers, l.layout());
                yield numbers++;
            }
            case PeerPlace.Whole w -> w.of().number;
            case PeerPlace.Part p -> {
                SelectedPieces selected = p.selected();
                control.selection(numbers, p.of().number, selected.indices(), selected.count());
                yield numbers++;
            }
        };
    }

    /** The transfer that it was for has ended. @param said whether it was announced */
    void ended(@Nullable PeerPlace place, boolean said) {
        if (place == null) {
            return;
        }
        bytes -= said ? cost(place) : 0;
        switch (place) {
            case PeerPlace.Listed _ -> {}
            case PeerPlace.Whole w -> ended(w.of());
            case PeerPlace.Part p -> {
                p.selected().release();
                ended(p.of());
            }
        }
    }

    private void ended(PreparedPlace place) {
        place.users--;
        releaseUnused(place);
    }
}
