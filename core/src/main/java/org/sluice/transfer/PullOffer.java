package org.sluice.transfer;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.sluice.Pieces;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.spi.GpuMemory;

/** What a sender tells of where a transfer's bytes lie: pieces of the blocks that the peer has open, by their numbers. */
final class PullOffer {
    /** Pieces listed at a time. */
    private static final int SOME = 1024;

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
        return made != null ? made : listed(map);
    }

    /** Piece by piece, where nobody knows what it was made of. */
    private static Pieces listed(PieceMap map) {
        int[] blocks = new int[SOME];
        long[] offsets = new long[SOME];
        long[] lengths = new long[SOME];
        int n = 0;
        try (Arena arena = Arena.ofConfined()) {
            long list = arena.allocate((PieceMap.MOST_PIECES + 1L) * PieceMap.VECTOR_BYTES, 8)
                    .address();
            for (long at = 0; at < map.length; ) {
                long some = Math.min(map.length - at, map.mostChunk());
                int pieces = map.list(at, some, list);
                for (int i = 0; i < pieces; i++) {
                    if (n == blocks.length) {
                        blocks = Arrays.copyOf(blocks, 2 * n);
                        offsets = Arrays.copyOf(offsets, 2 * n);
                        lengths = Arrays.copyOf(lengths, 2 * n);
                    }
                    long address = PieceMap.vectorAddress(list, i);
                    blocks[n] = blockOf(map, address);
                    offsets[n] = address - map.block(blocks[n]).memory().address();
                    lengths[n++] = PieceMap.vectorBytes(list, i);
                }
                at += some;
            }
        }
        return new Pieces.Listed(Arrays.copyOf(blocks, n), Arrays.copyOf(offsets, n), Arrays.copyOf(lengths, n));
    }

    private static int blockOf(PieceMap map, long address) {
        for (int i = 0; i < map.blocks(); i++) {
            GpuMemory m = map.block(i).memory();
            if (address >= m.address() && address - m.address() < m.size()) {
                return i;
            }
        }
        throw new IllegalStateException("a piece lies in none of its blocks");
    }
}
