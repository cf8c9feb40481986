package org.sluice.bench.gpu;

import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.ListQueue;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.PieceTable;

/**
 * Lists to lists on one GPU, in random order at both ends, by the queue alone: GB/s, and what a piece costs the agent's thread. Settings
 * {@code name=value}: {@code backend}, {@code gpu}, {@code millis} for each case, {@code blocks}, {@code move} (bytes of a list). With a driver that does nothing
 * (bench/gpu/host-cost.sh) only the thread's cost says something.
 */
public final class ListBench {
    private static final long POOL = 1L << 30;
    private static final int MOVES = 4;
    private static final int ROUNDS = 5;

    private ListBench() {}

    public static void main(String[] args) {
        Arguments a = Arguments.of(args, 0);
        Gpu gpu = ServiceLoader.load(GpuBackend.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(b -> b.name().equals(a.text("backend", "cuda")))
                .findFirst()
                .orElseThrow()
                .open(a.number("gpu", 0));
        gpu.bindThread();
        long move = a.sizes("move", "64M")[0];
        long nanos = a.number("millis", 1000) * 1_000_000L / (ROUNDS + 1);
        MemorySharing sharing = gpu.sharing().orElseThrow();
        try (gpu;
                GpuMemory pool = gpu.allocate(POOL)) {
            for (long block : a.sizes("blocks", "4K,16K,64K")) {
                int count = (int) (move / block);
                int[] order = shuffled((int) (POOL / block));
                int[] from = Arrays.copyOfRange(order, 0, count);
                int[] to = Arrays.copyOfRange(order, order.length - count, order.length);
                report(sharing, "blocks", block, move, nanos, blocks(pool, block, from), blocks(pool, block, to));
                report(sharing, "any pieces", block, move, nanos, listed(pool, block, from), listed(pool, block, to));
            }
        }
    }

    private static int[] shuffled(int count) {
        int[] order = IntStream.range(0, count).toArray();
        Random random = new Random(7);
        for (int i = count - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        return order;
    }

    private static PieceTable blocks(GpuMemory pool, long block, int[] indices) {
        return new PieceTable.Blocks(pool.address(), block, block, indices, indices.length);
    }

    private static PieceTable listed(GpuMemory pool, long block, int[] indices) {
        long[] addresses = new long[indices.length];
        long[] ends = new long[indices.length];
        for (int i = 0; i < indices.length; i++) {
            addresses[i] = pool.address() + indices[i] * block;
            ends[i] = (i + 1) * block;
        }
        return new PieceTable.Listed(addresses, ends, indices.length);
    }

    /** The median of the rounds after the first. */
    private static void report(
            MemorySharing sharing, String form, long block, long move, long nanos, PieceTable from, PieceTable to) {
        double[] rates = new double[ROUNDS];
        long busy = 0;
        long pieces = 0;
        try (ListQueue queue = sharing.listQueue(MOVES)) {
            for (int round = -1; round < ROUNDS; round++) {
                long begin = System.nanoTime();
                long bytes = 0;
                long end = begin;
                while (end - begin < nanos) {
                    long taken = 0;
                    while (taken < move) {
                        long start = System.nanoTime();
                        long some = queue.enqueue(from, to, taken, move - taken);
                        queue.flush();
                        long ticket = queue.completed();
                        if (some > 0 && round >= 0) {
                            busy += System.nanoTime() - start;
                            pieces += some / block;
                        }
                        taken += some;
                        assert ticket >= 0;
                    }
                    bytes += move;
                    end = System.nanoTime();
                }
                if (round >= 0) {
                    rates[round] = (double) bytes / (end - begin);
                }
            }
        }
        Arrays.sort(rates);
        System.out.printf(
                Locale.ROOT,
                "{\"lists\":\"%s\",\"block\":%d,\"bytes\":%d,\"gb_per_s\":%.1f,\"thread_ns_per_piece\":%.2f}%n",
                form,
                block,
                move,
                rates[ROUNDS / 2],
                (double) busy / Math.max(1, pieces));
    }
}
