package org.sluice.cli.bench;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.ToLongFunction;
import org.sluice.Layout;
import org.sluice.Region;
import org.sluice.RemoteLayout;
import org.sluice.RemoteRegion;
import org.sluice.cli.common.Values;
import picocli.CommandLine.ITypeConverter;

/**
 * What is measured: an operation, and how its bytes lie at both ends.
 *
 * @param op who begins it
 * @param blockBytes blocks that a transfer is made of; 0 for one range
 * @param prepared whether layouts are told once, and named from then on
 * @param shuffle whether the blocks are in another random order at each end, and for each transfer
 */
record BenchWork(Op op, long blockBytes, boolean shuffle, boolean prepared) {
    /** Operations, by the name that users give. */
    enum Op {
        WRITE,
        READ,
        SEND
    }

    /** Reads one. */
    static final class OpName implements ITypeConverter<Op> {
        @Override
        public Op convert(String text) {
            return Values.oneOf(Op.class, text);
        }
    }

    /** Orders of blocks that are drawn ahead: drawing them is not what is measured. */
    private static final int ORDERS = 16;

    /** Of {@code blocks:16KiB}, or {@code range}. @throws IllegalArgumentException for another text */
    static long blockBytes(String layout, ToLongFunction<String> size) {
        if (layout.equals("range")) {
            return 0;
        }
        if (!layout.startsWith("blocks:")) {
            throw new IllegalArgumentException("the layout is " + layout + ", it may be range or blocks:SIZE");
        }
        return size.applyAsLong(layout.substring("blocks:".length()));
    }

    /** The orders of transfers of one size. */
    Orders orders(long size, long seed) {
        return new Orders(size, seed);
    }

    final class Orders {
        private final long size;
        private final int[][] here = new int[ORDERS][];
        private final int[][] there = new int[ORDERS][];

        private Orders(long size, long seed) {
            this.size = size;
            if (blockBytes > 0) {
                int blocks = (int) (size / blockBytes);
                SplittableRandom random = new SplittableRandom(seed);
                for (int n = 0; n < ORDERS; n++) {
                    here[n] = order(blocks, random);
                    there[n] = order(blocks, random);
                }
            }
        }

        private int[] order(int blocks, SplittableRandom random) {
            int[] order = new int[blocks];
            for (int i = 0; i < blocks; i++) {
                int j = shuffle ? random.nextInt(i + 1) : i;
                order[i] = order[j];
                order[j] = i;
            }
            return order;
        }

        int[] here(int transfer) {
            return here[transfer % ORDERS];
        }

        int[] there(int transfer) {
            return there[transfer % ORDERS];
        }

        private int[] inOrder() {
            int[] all = new int[(int) (size / blockBytes)];
            Arrays.setAll(all, i -> i);
            return all;
        }

        /** All blocks, in their order. */
        Layout straight(Region region) {
            return blockBytes == 0 ? Layout.range(region, 0, size) : Layout.blocks(region, 0, blockBytes, inOrder());
        }

        RemoteLayout straight(RemoteRegion region) {
            return blockBytes == 0
                    ? RemoteLayout.range(region, 0, size)
                    : RemoteLayout.blocks(region, 0, blockBytes, inOrder());
        }

        Layout local(Region region, int transfer) {
            return blockBytes == 0
                    ? Layout.range(region, 0, size)
                    : Layout.blocks(region, 0, blockBytes, here[transfer % ORDERS]);
        }

        /** At the peer, in the order of this side: what is read so is what it was. */
        RemoteLayout same(RemoteRegion region, int transfer) {
            return blockBytes == 0
                    ? RemoteLayout.range(region, 0, size)
                    : RemoteLayout.blocks(region, 0, blockBytes, here[transfer % ORDERS]);
        }

        /** The peer's side, as the peer has it. */
        Layout target(Region region, int transfer) {
            return blockBytes == 0
                    ? Layout.range(region, 0, size)
                    : Layout.blocks(region, 0, blockBytes, there[transfer % ORDERS]);
        }

        RemoteLayout remote(RemoteRegion region, int transfer) {
            return blockBytes == 0
                    ? RemoteLayout.range(region, 0, size)
                    : RemoteLayout.blocks(region, 0, blockBytes, there[transfer % ORDERS]);
        }
    }
}
