package org.sluice.transfer;

import java.util.ArrayList;
import java.util.List;
import org.sluice.Pieces;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;

/** What a sender tells of where a transfer's bytes lie: pieces of the blocks that the peer has open, by their numbers. */
final class PullOffer {
    private PullOffer() {}

    /** Whether every block of a map is open at the peer. @return 0, {@link PulledMemory#NOT_YET} or {@link PulledMemory#NEVER} */
    static int state(PieceMap map, PulledMemory memory) {
        int state = 0;
        for (int i = 0; i < map.blocks(); i++) {
            state = Math.min(state, memory.number(map.block(i)));
        }
        return state;
    }

    /** As a layout whose regions are numbers of blocks. */
    static RemoteLayout of(PieceMap map, PulledMemory memory) {
        List<RemoteRegion> blocks = new ArrayList<>(map.blocks());
        for (int i = 0; i < map.blocks(); i++) {
            MemoryBlock b = map.block(i);
            blocks.add(new RemoteRegion(0, memory.number(b), b.memory().size()));
        }
        return RemoteLayout.of(blocks, pieces(map));
    }

    private static Pieces pieces(PieceMap map) {
        long whole = map.blocks() == 1 ? map.address(0, map.length) : -1;
        if (whole != -1) {
            long offset = whole - map.block(0).memory().address();
            return new Pieces.Strided(offset, map.length, map.length, 1, map.length, 1);
        }
        Pieces made = map.madeOf();
        return made != null ? made : map.said();
    }
}
