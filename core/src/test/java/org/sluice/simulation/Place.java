package org.sluice.simulation;

import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.sluice.Pieces;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.TransferRefusal;
import org.sluice.spi.MemoryKind;
import org.sluice.transfer.MemoryBlock;
import org.sluice.transfer.PieceCheck;
import org.sluice.transfer.PieceMap;
import org.sluice.transfer.PreparedPieces;
import org.sluice.transfer.SelectedPieces;
import org.sluice.transfer.SelectionPool;

/**
 * Where a message's bytes lie on one side, in a layout of any form. It reads them piece by piece by itself, so that what the engine
 * makes of a layout is compared with something else.
 */
final class Place {
    final List<MemoryBlock> blocks = new ArrayList<>();
    final Pieces pieces;
    final PieceMap map;
    private static final SelectionPool POOL = new SelectionPool();

    private final List<byte[]> before = new ArrayList<>();

    private Place(Side side, Space space, Random random, String what, int[] sizes, Pieces pieces, boolean filled) {
        for (int size : sizes) {
            Space.Block b = space.allocate(what + " of " + side, Math.max(1, size), MemoryKind.CUDA);
            if (filled) {
                random.nextBytes(b.bytes);
            }
            blocks.add(side.block(b));
            before.add(b.bytes.clone());
        }
        this.pieces = pieces;
        MemoryBlock[] memory = blocks.toArray(new MemoryBlock[0]);
        TransferRefusal why = PieceCheck.check(memory, pieces, true);
        if (why != null) {
            throw new AssertionError(pieces + " of " + Arrays.toString(sizes) + " is refused: " + why);
        }
        this.map = PieceMap.of(memory, pieces);
    }

    static Place draw(Side side, Space space, Random random, String what, int bytes, boolean filled, boolean lists) {
        int slack = random.nextInt(20);
        int count = 1 + random.nextInt(30);
        int form = lists ? random.nextInt(5) : 0;
        if ((form == 1 || form == 2) && (bytes == 0 || bytes % count != 0)) {
            form = 3;
        }
        int size = bytes / count;
        return switch (form) {
            case 1 -> {
                List<Integer> order = new ArrayList<>();
                for (int i = 0; i < count + slack; i++) {
                    order.add(i);
                }
                Collections.shuffle(order, random);
                int[] indices = order.stream().limit(count).mapToInt(i -> i).toArray();
                Pieces p = new Pieces.Blocks(slack, size, indices);
                yield new Place(side, space, random, what, new int[] {slack + (count + slack) * size}, p, filled);
            }
            case 2 -> {
                int rows = count % 3 == 0 ? 3 : count % 2 == 0 ? 2 : 1;
                int inner = count / rows;
                int stride = size + random.nextInt(3);
                int outer = (inner - 1) * stride + size + random.nextInt(3);
                Pieces p = new Pieces.Strided(slack, size, stride, inner, outer, rows);
                int all = slack + (rows - 1) * outer + (inner - 1) * stride + size;
                yield new Place(side, space, random, what, new int[] {all}, p, filled);
            }
            case 3, 4 -> list(side, space, random, what, bytes, filled);
            default ->
                new Place(
                        side,
                        space,
                        random,
                        what,
                        new int[] {slack + bytes},
                        new Pieces.Range(random.nextInt(slack + 1), bytes),
                        filled);
        };
    }

    private static Place list(Side side, Space space, Random random, String what, int bytes, boolean filled) {
        int most = 1 + random.nextInt(60);
        List<Integer> lengths = new ArrayList<>();
        for (int left = bytes; left > 0; ) {
            int length = Math.min(left, random.nextInt(most + 1));
            lengths.add(length);
            left -= length;
        }
        int n = lengths.size();
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            order.add(i);
        }
        if (random.nextInt(3) != 0) {
            Collections.shuffle(order, random);
        }
        int[] sizes = new int[1 + random.nextInt(3)];
        int[] regions = new int[n];
        long[] offsets = new long[n];
        long[] sums = new long[n];
        for (int i : order) {
            regions[i] = random.nextInt(sizes.length);
            offsets[i] = sizes[regions[i]];
            sums[i] = lengths.get(i);
            sizes[regions[i]] += lengths.get(i) + (random.nextBoolean() ? 0 : random.nextInt(4));
        }
        return new Place(side, space, random, what, sizes, new Pieces.Listed(regions, offsets, sums), filled);
    }

    /** What a peer calls it, once every block is shared under a key from {@code key} on. */
    RemoteLayout remote(long key) {
        List<RemoteRegion> regions = new ArrayList<>();
        for (int i = 0; i < blocks.size(); i++) {
            regions.add(new RemoteRegion(0, key + i, blocks.get(i).memory().size()));
        }
        return RemoteLayout.of(regions, pieces);
    }

    /** A layout of the same pieces in another order, and the numbers of its pieces that make this one of it. */
    record Prepared(Pieces pieces, int[] indices) {}

    Prepared prepared(Random random) {
        int n = (int) pieces.count();
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            order.add(i);
        }
        if (pieces instanceof Pieces.Blocks || pieces instanceof Pieces.Listed) {
            Collections.shuffle(order, random);
        }
        int[] at = order.stream().mapToInt(i -> i).toArray(); // piece i of this is piece at[i] of that
        Pieces that = switch (pieces) {
            case Pieces.Blocks b -> {
                int[] indices = new int[n];
                for (int i = 0; i < n; i++) {
                    indices[at[i]] = b.index(i);
                }
                yield new Pieces.Blocks(b.base(), b.blockBytes(), indices);
            }
            case Pieces.Listed l -> {
                int[] regions = new int[n];
                long[] offsets = new long[n];
                long[] lengths = new long[n];
                for (int i = 0; i < n; i++) {
                    regions[at[i]] = l.region(i);
                    offsets[at[i]] = l.offset(i);
                    lengths[at[i]] = l.length(i);
                }
                yield new Pieces.Listed(regions, offsets, lengths);
            }
            default -> pieces;
        };
        return new Prepared(that, at);
    }

    /** Where its bytes lie, as a selection of a prepared layout has it. */
    PieceMap selected(Random random, boolean target) {
        Prepared p = prepared(random);
        SelectedPieces s = POOL.take(p.pieces(), p.indices().length);
        if (!s.add(IntBuffer.wrap(p.indices()))) {
            throw new AssertionError("pieces that are there were not found");
        }
        TransferRefusal why = s.finish(PreparedPieces.of(blocks.toArray(new MemoryBlock[0]), p.pieces()), target);
        if (why != null) {
            throw new AssertionError("a selection of all pieces of " + pieces + " is refused: " + why);
        }
        return s.map();
    }

    RemoteLayout remote(long key, Pieces as) {
        return RemoteLayout.of(remote(key).regions(), as);
    }

    private interface Visit {
        void piece(int block, long offset, long bytes);
    }

    private void each(Visit visit) {
        switch (pieces) {
            case Pieces.Range r -> visit.piece(0, r.offset(), r.bytes());
            case Pieces.Blocks b -> {
                for (int i = 0; i < b.count(); i++) {
                    visit.piece(0, b.base() + b.index(i) * b.blockBytes(), b.blockBytes());
                }
            }
            case Pieces.Strided s -> {
                for (int row = 0; row < s.outerCount(); row++) {
                    for (int i = 0; i < s.innerCount(); i++) {
                        visit.piece(0, s.offset() + row * s.outerStride() + i * s.stride(), s.blockBytes());
                    }
                }
            }
            case Pieces.Listed l -> {
                for (int i = 0; i < l.count(); i++) {
                    visit.piece(l.region(i), l.offset(i), l.length(i));
                }
            }
        }
    }

    private byte[] memory(int block) {
        return ((Space.Block) blocks.get(block).memory()).bytes;
    }

    byte[] read() {
        byte[] all = new byte[(int) pieces.bytes()];
        int[] at = new int[1];
        each((block, offset, bytes) -> {
            System.arraycopy(memory(block), (int) offset, all, at[0], (int) bytes);
            at[0] += (int) bytes;
        });
        return all;
    }

    /** Fails where a byte that is of no piece is not what it was. */
    void mustBeUntouchedElsewhere(String who) {
        List<byte[]> expected = before.stream().map(byte[]::clone).toList();
        each((block, offset, bytes) ->
                System.arraycopy(memory(block), (int) offset, expected.get(block), (int) offset, (int) bytes));
        for (int i = 0; i < expected.size(); i++) {
            int wrong = Arrays.mismatch(expected.get(i), memory(i));
            if (wrong >= 0) {
                throw new AssertionError(who + ": byte " + wrong + " of region " + i + " belongs to no piece of "
                        + pieces + ", but was written");
            }
        }
    }
}
