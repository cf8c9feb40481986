package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.Pieces;
import org.sluice.TransferRefusal;

/** A layout of this side's memory that was checked once, for transfers of all of it or of some pieces. Immutable. */
public final class PreparedPieces {
    final MemoryBlock[] memory;
    final Pieces pieces;
    private final PieceMap whole;
    private final boolean apart;

    private PreparedPieces(MemoryBlock[] memory, Pieces pieces, boolean apart) {
        this.memory = memory;
        this.pieces = pieces;
        this.apart = apart;
        this.whole = PieceMap.of(memory, pieces);
    }

    /** @param pieces have been found to lie inside the memory */
    public static PreparedPieces of(MemoryBlock[] memory, Pieces pieces) {
        return new PreparedPieces(memory, pieces, PieceCheck.check(memory, pieces, true) == null);
    }

    /** All of it. */
    public PieceMap whole() {
        return whole;
    }

    /** Why nothing of it can be a transfer's source or target, null where it can: pieces that overlap are not written to. */
    public @Nullable TransferRefusal check(boolean target) {
        return target && !apart ? TransferRefusal.OVERLAP : null;
    }
}
