package org.sluice.bench.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PieceQueue;
import org.sluice.spi.PieceQueue.Direction;

/**
 * The piece queue on a GPU, as an engine drives it: lists of blocks in random order in a 1 GiB pool, chunk after chunk through a
 * ring of pinned slots, next to copy queues that move as many bytes from one place. One JSON object a case; {@code thread_ns_per_piece}
 * is what the turns that queue a chunk cost the calling thread.
 */
public final class PieceBench {
    private static final long POOL = 1L << 30;
    private static final int SLOTS = 32;

    private final Gpu gpu;
    private final long chunk;
    private final GpuMemory pool;
    private final GpuMemory slots;
    private final double seconds;

    private PieceBench(Gpu gpu, long chunk, double seconds) {
        this.gpu = gpu;
        this.chunk = chunk;
        this.seconds = seconds;
        this.pool = gpu.allocate(POOL);
        this.slots = gpu.allocatePinned(2 * SLOTS * chunk);
    }

    public static void main(String[] args) {
        Arguments a = Arguments.of(args, 0);
        Gpu gpu = ServiceLoader.load(GpuBackend.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(b -> b.name().equals(a.text("backend", "cuda")))
                .findFirst()
                .orElseThrow()
                .open(a.number("gpu", 0));
        gpu.bindThread();
        double seconds = a.number("millis", 400) / 1e3;
        for (long chunk : a.sizes("chunks", "512K,1M")) {
            PieceBench bench = new PieceBench(gpu, chunk, seconds);
            for (boolean both : new boolean[] {false, true}) {
                bench.copies(both);
                for (long block : a.sizes("blocks", "1K,4K,16K,64K")) {
                    bench.lists(block, both);
                }
            }
            bench.pool.close();
            bench.slots.close();
        }
        gpu.close();
    }

    /** One direction's work: keeps its slots full, and counts. */
    private abstract class Stream {
        private final long[] tickets = new long[SLOTS];
        private long next;
        private long bytes;
        private long hostNanos;

        final boolean turn() {
            long start = System.nanoTime();
            boolean moved = false;
            long done = completed();
            while (tickets[(int) (next % SLOTS)] <= done && ready()) {
                tickets[(int) (next % SLOTS)] = start(next, (int) (next % SLOTS));
                next++;
                bytes += chunk;
                moved = true;
            }
            flush();
            hostNanos += moved ? System.nanoTime() - start : 0;
            return moved;
        }

        abstract long start(long step, int slot);

        abstract long completed();

        abstract boolean ready();

        void flush() {}

        abstract void close();
    }

    private Stream copies(CopyQueue.Direction direction) {
        CopyQueue queue = gpu.copyQueue(direction, SLOTS);
        boolean out = direction == CopyQueue.Direction.TO_HOST;
        return new Stream() {
            @Override
            long start(long step, int slot) {
                long onGpu = pool.address() + step * chunk % POOL;
                long pinned = slots.address() + (out ? slot : SLOTS + slot) * chunk;
                return queue.enqueue(out ? pinned : onGpu, out ? onGpu : pinned, chunk);
            }

            @Override
            long completed() {
                return queue.completed();
            }

            @Override
            boolean ready() {
                return queue.hasRoom();
            }

            @Override
            void close() {
                queue.close();
            }
        };
    }

    private Stream lists(Direction direction, long block, Arena arena) {
        int each = (int) (chunk / block);
        PieceQueue queue = gpu.pieceQueue(direction, SLOTS, SLOTS * each);
        boolean out = direction == Direction.GATHER;
        int[] order = IntStream.range(0, (int) (POOL / block)).toArray();
        Random random = new Random(out ? 7 : 8);
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
        MemorySegment list = arena.allocate((long) each * PieceQueue.PIECE_BYTES, 8);
        return new Stream() {
            private int at;

            @Override
            long start(long step, int slot) {
                for (int i = 0; i < each; i++) {
                    list.setAtIndex(ValueLayout.JAVA_LONG, 2L * i, pool.address() + order[at] * block);
                    list.setAtIndex(ValueLayout.JAVA_LONG, 2L * i + 1, block);
                    at = at + 1 == order.length ? 0 : at + 1;
                }
                long pinned = slots.address() + (out ? slot : SLOTS + slot) * chunk;
                return queue.enqueue(list.address(), each, pinned, chunk);
            }

            @Override
            long completed() {
                return queue.completed();
            }

            @Override
            boolean ready() {
                return queue.hasRoom(each);
            }

            @Override
            void flush() {
                queue.flush();
            }

            @Override
            void close() {
                queue.close();
            }
        };
    }

    private void copies(boolean both) {
        if (both) {
            report(
                    "copies both ways, each",
                    0,
                    copies(CopyQueue.Direction.TO_HOST),
                    copies(CopyQueue.Direction.TO_GPU));
        } else {
            report("copies to host", 0, copies(CopyQueue.Direction.TO_HOST));
            report("copies to GPU", 0, copies(CopyQueue.Direction.TO_GPU));
        }
    }

    private void lists(long block, boolean both) {
        try (Arena arena = Arena.ofConfined()) {
            if (both) {
                report(
                        "gather and scatter at once, each",
                        block,
                        lists(Direction.GATHER, block, arena),
                        lists(Direction.SCATTER, block, arena));
            } else {
                report("gather", block, lists(Direction.GATHER, block, arena));
                report("scatter", block, lists(Direction.SCATTER, block, arena));
            }
        }
    }

    /** The median of five rounds. */
    private void report(String name, long block, Stream... streams) {
        double[] rates = new double[5];
        long nanos = 0;
        long pieces = 0;
        for (int round = -2; round < rates.length; round++) {
            for (Stream s : streams) {
                s.bytes = 0;
                s.hostNanos = 0;
            }
            long start = System.nanoTime();
            while (System.nanoTime() - start < seconds * 1e9 / (rates.length + 2)) {
                for (Stream s : streams) {
                    if (!s.turn()) {
                        Thread.onSpinWait();
                    }
                }
            }
            double took = (System.nanoTime() - start) / 1e9;
            long bytes = Arrays.stream(streams).mapToLong(s -> s.bytes).sum();
            if (round >= 0) {
                rates[round] = bytes / took / 1e9 / streams.length;
                nanos += Arrays.stream(streams).mapToLong(s -> s.hostNanos).sum();
                pieces += bytes / (block == 0 ? chunk : block);
            }
        }
        for (Stream s : streams) {
            s.close();
        }
        Arrays.sort(rates);
        System.out.printf(
                Locale.ROOT,
                "{\"pieces\":\"%s\",\"chunk\":%d,\"block\":%d,\"gb_per_s\":%.2f,\"thread_ns_per_piece\":%.1f}%n",
                name,
                chunk,
                block,
                rates[rates.length / 2],
                (double) nanos / Math.max(1, pieces));
    }
}
