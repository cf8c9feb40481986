package org.sluice.transfer;

import java.nio.IntBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sluice.Link;
import org.sluice.ProtocolException;
import org.sluice.RemoteLayout;
import org.sluice.TransferRefusal;
import org.sluice.Where;

/**
 * The layouts that the peer has prepared, and the selections of them that it has said for its next transfers. A prepared layout holds no
 * memory of its regions, so that they can be withdrawn and freed: each transfer looks again whether they are what they were. Belongs to
 * the agent.
 */
final class PeerLayouts {
    /** Twice what the peer's side allows itself: it may count one out before the last transfer here has ended. */
    private static final long MOST_BYTES = 2 * Link.MOST_PREPARED_BYTES;

    private static final int MOST = 2 * Link.MOST_PREPARED;

    private final Where where;
    private final Set<Integer> expected = new HashSet<>();
    private final Map<Integer, Prepared> prepared = new HashMap<>();
    private final Map<Integer, Selection> selections = new HashMap<>();
    private final SelectionPool room = new SelectionPool();
    private int count;
    private long bytes;

    PeerLayouts(Where where) {
        this.where = where;
    }

    /** One that is kept. */
    static final class Prepared {
        private final RemoteLayout layout;
        private final @Nullable PreparedPieces pieces;
        private final TransferRefusal refusal;
        private int users;
        private boolean released;

        private Prepared(RemoteLayout layout, @Nullable PreparedPieces pieces, TransferRefusal refusal) {
            this.layout = layout;
            this.pieces = pieces;
            this.refusal = refusal;
        }

        RemoteLayout layout() {
            return layout;
        }

        /** Null where it was refused. */
        @Nullable PreparedPieces pieces() {
            return pieces;
        }

        /** Why it was refused, where it was. */
        TransferRefusal refusal() {
            return refusal;
        }

        /** Whether a region is the one that it was. */
        @SuppressWarnings("ReferenceEquality")
        boolean isOf(int region, MemoryBlock block) {
            return pieces != null && pieces.memory[region].memory() == block.memory();
        }
    }

    /**
     * Some pieces for one transfer.
     *
     * @param pieces null where the layout was refused
     * @param total how many there are to be
     */
    record Selection(Prepared of, @Nullable SelectedPieces pieces, int total) {}

    boolean isExpected(int number) {
        return expected.contains(number);
    }

    /** The layout of this number is to be kept. */
    void expect(int number) {
        if (prepared.containsKey(number) || !expected.add(number)) {
            throw new ProtocolException(where, "the peer prepared layout " + number + " twice");
        }
        if (expected.size() > 1) {
            throw new ProtocolException(where, "the peer prepared a layout before it had said the one before");
        }
    }

    /** @param memory of its regions; null where one is not there */
    void add(int number, RemoteLayout layout, MemoryBlock @Nullable [] memory) {
        expected.remove(number);
        count++;
        bytes += PeerAccess.bytes(layout);
        if (count > MOST || bytes > MOST_BYTES) {
            throw new ProtocolException(
                    where, "the peer has prepared " + count + " layouts of " + bytes + " bytes, which is too much");
        }
        TransferRefusal why = memory == null ? TransferRefusal.KEY : PieceCheck.check(memory, layout.pieces(), false);
        PreparedPieces pieces = memory == null || why != null ? null : PreparedPieces.of(memory, layout.pieces());
        prepared.put(number, new Prepared(layout, pieces, why == null ? TransferRefusal.BOUNDS : why));
    }

    void release(int number) {
        Prepared p = prepared.remove(number);
        if (p == null) {
            throw new ProtocolException(where, "the peer released layout " + number + ", which is not prepared");
        }
        p.released = true;
        free(p);
    }

    /** A transfer is to use one. */
    Prepared use(int number) {
        Prepared p = prepared.get(number);
        if (p == null) {
            throw new ProtocolException(where, "the peer named layout " + number + ", which is not prepared");
        }
        p.users++;
        return p;
    }

    /** It does not any more. */
    void ended(Prepared p) {
        p.users--;
        free(p);
    }

    private void free(Prepared p) {
        if (p.released && p.users == 0) {
            count--;
            bytes -= PeerAccess.bytes(p.layout);
        }
    }

    boolean hasSelection(int number) {
        return selections.containsKey(number);
    }

    void begin(int number, int of, int total) {
        Prepared p = use(of);
        PreparedPieces pieces = p.pieces();
        selections.put(number, new Selection(p, pieces == null ? null : room.take(pieces.pieces, total), total));
    }

    /** Some more of its indices. */
    void more(int number, int of, int total, IntBuffer indices) {
        Selection s = selections.get(number);
        Prepared p = prepared.get(of);
        SelectedPieces pieces = s == null ? null : s.pieces();
        if (s == null || s.of() != p || s.total() != total) {
            throw new ProtocolException(where, "the peer went on with a selection that it had not begun");
        }
        if (pieces == null) {
            return; // nothing will come of it: the layout was refused
        }
        if (indices.remaining() > pieces.missing()) {
            throw new ProtocolException(where, "the peer selected more pieces than the " + total + " it had said");
        }
        if (!pieces.add(indices)) {
            throw new ProtocolException(
                    where, "the peer selected a piece that prepared layout " + of + " does not have");
        }
    }

    /** The selection of this number, for its transfer; null where there is none. */
    @Nullable Selection takeSelection(int number) {
        Selection s = selections.remove(number);
        if (s != null && s.pieces() != null && s.pieces().missing() > 0) {
            throw new ProtocolException(
                    where,
                    "the peer began a transfer with a selection that lacks "
                            + s.pieces().missing() + " pieces");
        }
        return s;
    }
}
