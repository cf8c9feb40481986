package org.sluice.bench.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.ServiceLoader;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackMode;
import org.sluice.spi.UnpackQueue;

/**
 * The unpack queue on a GPU: launches of many scattered chunks next to plain copies of as many bytes, alternating, and the cost of
 * launches of 1 to 2048 descriptors. Times are of a pipeline that is kept full, host clock, start to last completion; every
 * case's bytes are compared first.
 */
public final class UnpackBench {
    private static final int PAGE = 4096;
    private static final int CHUNK = 512 << 10;
    private static final int CHUNKS = 16;
    private static final int ROUNDS = 15;

    private final Gpu gpu;
    private final Arena arena = Arena.ofAuto();
    private final GpuMemory bounce;
    private final GpuMemory target;

    private UnpackBench(Gpu gpu) {
        this.gpu = gpu;
        this.bounce = gpu.allocate(32 << 20);
        this.target = gpu.allocate(32 << 20);
    }

    public static void main(String[] args) throws TransportException {
        Arguments a = Arguments.of(args, 0);
        Gpu gpu = ServiceLoader.load(GpuBackend.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(b -> b.name().equals("cuda"))
                .findFirst()
                .orElseThrow()
                .open(a.number("gpu", 0));
        gpu.bindThread();
        UnpackBench bench = new UnpackBench(gpu);
        bench.sideBySide();
        bench.descriptorTable();
        gpu.close();
    }

    /** A launch: its chunks' descriptor lists, and where each goes. */
    private record Launch(String name, UnpackMode mode, ScatterList[] lists, long[] targets, long chunkBytes) {
        long bytes() {
            return chunkBytes * lists.length;
        }

        int descriptors() {
            return Arrays.stream(lists).mapToInt(ScatterList::count).sum();
        }
    }

    /** Pages of each chunk in random order over the whole bounce buffer, {@code shift} bytes off their places. */
    private Launch scattered(String name, UnpackMode mode, int chunks, int chunkBytes, int fragment, int shift)
            throws TransportException {
        int perChunk = (chunkBytes + fragment - 1) / fragment;
        int place = (fragment + 15 + (shift > 0 ? 16 : 0)) & -16;
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < perChunk * chunks; i++) {
            places.add(i * place);
        }
        Collections.shuffle(places, new Random(chunks * 31L + fragment));
        ScatterList[] lists = new ScatterList[chunks];
        long[] targets = new long[chunks];
        for (int c = 0; c < chunks; c++) {
            MemorySegment list = arena.allocate(perChunk * 16L, 16);
            for (int i = 0; i < perChunk; i++) {
                list.set(ValueLayout.JAVA_INT, i * 16L, places.get(c * perChunk + i) + shift);
                list.set(ValueLayout.JAVA_INT, i * 16L + 4, Math.min(fragment, chunkBytes - i * fragment));
                list.set(ValueLayout.JAVA_LONG, i * 16L + 8, (long) i * fragment);
            }
            lists[c] = new ScatterList();
            lists[c].set(list, perChunk, bounce.address(), bounce.size());
            lists[c].check(chunkBytes);
            targets[c] = target.address() + (long) c * chunkBytes;
        }
        return new Launch(name, mode, lists, targets, chunkBytes);
    }

    private void sideBySide() throws TransportException {
        int all = CHUNK * CHUNKS;
        List<Launch> launches = List.of(
                scattered("one plain copy of 8 MiB", UnpackMode.COPIES, 1, all, all, 0),
                scattered("kernel, 16 x 512 KiB, 4 KiB pages", UnpackMode.KERNEL, CHUNKS, CHUNK, PAGE, 0),
                scattered("kernel, the same, off by one byte", UnpackMode.KERNEL, CHUNKS, CHUNK, PAGE, 1),
                scattered("kernel, the same, off by seven", UnpackMode.KERNEL, CHUNKS, CHUNK, PAGE, 7),
                scattered("kernel, one chunk of 512 KiB", UnpackMode.KERNEL, 1, CHUNK, PAGE, 0),
                scattered("sixteen plain copies of 512 KiB", UnpackMode.COPIES, CHUNKS, CHUNK, CHUNK, 0),
                scattered("one copy a fragment", UnpackMode.COPIES, CHUNKS, CHUNK, PAGE, 0));
        double[][] nanos = new double[launches.size()][ROUNDS];
        double[][] host = new double[launches.size()][ROUNDS];
        for (Launch l : launches) {
            verify(l);
        }
        for (int round = -5; round < ROUNDS; round++) {
            for (int i = 0; i < launches.size(); i++) {
                Launch l = launches.get(i);
                double[] r = time(l, l.descriptors() > 1000 && l.mode() == UnpackMode.COPIES ? 5 : 400);
                if (round >= 0) {
                    nanos[i][round] = r[0];
                    host[i][round] = r[1];
                }
            }
        }
        double plain = median(nanos[0]);
        for (int i = 0; i < launches.size(); i++) {
            Launch l = launches.get(i);
            double ns = median(nanos[i]);
            System.out.printf(
                    Locale.ROOT,
                    "{\"table\":\"unpack\",\"case\":\"%s\",\"bytes\":%d,\"descriptors\":%d,\"us\":%.2f,\"host_us\":%.2f,\"gb_per_s\":%.1f,"
                            + "\"of_plain_copy\":%s,\"verified\":true}%n",
                    l.name(),
                    l.bytes(),
                    l.descriptors(),
                    ns / 1e3,
                    median(host[i]) / 1e3,
                    l.bytes() / ns,
                    l.bytes() == all ? String.format(Locale.ROOT, "%.3f", plain / ns) : "null");
        }
    }

    private void descriptorTable() throws TransportException {
        for (int count : new int[] {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048}) {
            for (int shift : new int[] {0, 1}) {
                Launch l = scattered("table", UnpackMode.KERNEL, 1, count * PAGE, PAGE, shift);
                verify(l);
                time(l, 200);
                double[] nanos = new double[ROUNDS];
                double[] host = new double[ROUNDS];
                for (int round = 0; round < ROUNDS; round++) {
                    double[] r = time(l, 300);
                    nanos[round] = r[0];
                    host[round] = r[1];
                }
                double ns = median(nanos);
                System.out.printf(
                        Locale.ROOT,
                        "{\"table\":\"descriptors\",\"descriptors\":%d,\"bytes\":%d,\"off_by\":%d,\"us\":%.2f,\"host_us\":%.2f,"
                                + "\"gb_per_s\":%.1f}%n",
                        count,
                        l.bytes(),
                        shift,
                        ns / 1e3,
                        median(host) / 1e3,
                        l.bytes() / ns);
            }
        }
    }

    /** Nanoseconds per launch of a full pipeline, and of the host's part of each. */
    private double[] time(Launch l, int times) {
        int chunks = l.lists().length;
        try (UnpackQueue queue = gpu.unpackQueue(l.mode(), 1024)) {
            run(queue, l, 2, chunks);
            long hostNanos = 0;
            long start = System.nanoTime();
            long ticket = 2L * chunks;
            for (int i = 0; i < times; i++) {
                while (ticket - queue.completed() > 1024 - chunks) {
                    Thread.onSpinWait();
                }
                long begin = System.nanoTime();
                for (int c = 0; c < chunks; c++) {
                    ticket = queue.enqueue(l.lists()[c], l.targets()[c], l.chunkBytes());
                }
                queue.flush();
                hostNanos += System.nanoTime() - begin;
            }
            while (queue.completed() < ticket) {
                Thread.onSpinWait();
            }
            return new double[] {(double) (System.nanoTime() - start) / times, (double) hostNanos / times};
        }
    }

    private static void run(UnpackQueue queue, Launch l, int times, int chunks) {
        long ticket = 0;
        for (int i = 0; i < times; i++) {
            for (int c = 0; c < chunks; c++) {
                ticket = queue.enqueue(l.lists()[c], l.targets()[c], l.chunkBytes());
            }
            queue.flush();
        }
        while (queue.completed() < ticket) {
            Thread.onSpinWait();
        }
    }

    private void verify(Launch l) {
        byte[] source = new byte[(int) bounce.size()];
        new Random(l.descriptors()).nextBytes(source);
        gpu.write(bounce, 0, MemorySegment.ofArray(source));
        gpu.write(target, 0, MemorySegment.ofArray(new byte[(int) l.bytes()]));
        try (UnpackQueue queue = gpu.unpackQueue(l.mode(), 1024)) {
            run(queue, l, 1, l.lists().length);
        }
        byte[] got = new byte[(int) l.bytes()];
        gpu.read(target, 0, MemorySegment.ofArray(got));
        for (int c = 0; c < l.lists().length; c++) {
            ScatterList list = l.lists()[c];
            for (int i = 0; i < list.count(); i++) {
                int from = (int) list.sourceOffset(i);
                int to = (int) (c * l.chunkBytes() + list.destinationOffset(i));
                int n = (int) list.length(i);
                if (!Arrays.equals(source, from, from + n, got, to, to + n)) {
                    throw new IllegalStateException(l.name() + ": chunk " + c + ", fragment " + i + " has wrong bytes");
                }
            }
        }
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
