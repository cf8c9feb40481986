package org.sluice.bench.gpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.ServiceLoader;
import org.sluice.UnpackMode;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;

/**
 * The unpack queue on a GPU: launches of many scattered chunks next to plain copies of as many bytes, alternating, and the cost of
 * launches of 1 to 2048 descriptors. Times are of a pipeline that is kept full, host clock, start to last completion, with as many
 * launches in flight for every case; the host's part has the bounds check of every list in it. Every case's bytes are compared
 * first. Lists lie in page-locked memory, as TCPX's do, where a case does not say otherwise.
 */
public final class UnpackBench {
    private static final int PAGE = 4096;
    private static final int CHUNK = 512 << 10;
    private static final int CHUNKS = 16;

    /** Launches in flight, of every kind: as many chunks of 16 a launch as the engine's unpack queue takes. */
    private static final int IN_FLIGHT = 64;

    private static final int CAPACITY = IN_FLIGHT * CHUNKS;

    private final Gpu gpu;
    private final int rounds;
    private final int times;
    private final GpuMemory bounce;
    private final GpuMemory target;
    /** Where lists lie, as a plugin's do: page-locked, and under one address for host and GPU. */
    private final GpuMemory lists;

    private long listBytes;

    /** @param rounds of each case, medians count; of so many launches each */
    private UnpackBench(Gpu gpu, int rounds, int times) {
        this.gpu = gpu;
        this.rounds = rounds;
        this.times = times;
        this.bounce = gpu.allocate(32 << 20);
        this.target = gpu.allocate(32 << 20);
        this.lists = gpu.allocatePinned(8 << 20);
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
        UnpackBench bench = new UnpackBench(gpu, a.number("rounds", 15), a.number("times", 400));
        if (a.text("table", "").equals("host")) {
            bench.hostCost();
        } else {
            bench.sideBySide();
            bench.descriptorTable();
        }
        gpu.close();
    }

    /** What is Sluice's own of a launch's host time: to be run on a driver that does nothing (bench/gpu/host-cost.sh). */
    private void hostCost() throws TransportException {
        for (int chunks : new int[] {1, 16}) {
            for (Launch l : List.of(
                    scattered("in place", UnpackMode.KERNEL, chunks, CHUNK, PAGE, 0),
                    copied(scattered("copied", UnpackMode.KERNEL, chunks, CHUNK, PAGE, 0)),
                    scrambled(scattered("scrambled, in place", UnpackMode.KERNEL, chunks, CHUNK, PAGE, 0)))) {
                double check = Double.MAX_VALUE;
                double host = Double.MAX_VALUE;
                // the quickest round counts: others' work does not make it quicker
                for (int round = 0; round < 10 * rounds; round++) {
                    Time t = time(l, times);
                    check = Math.min(check, t.check());
                    host = Math.min(host, t.host());
                }
                System.out.printf(
                        Locale.ROOT,
                        "{\"table\":\"host\",\"case\":\"%s\",\"chunks\":%d,\"descriptors\":%d,\"host_ns\":%.0f,\"of_it_check_ns\":%.0f}%n",
                        l.name(),
                        chunks,
                        l.descriptors(),
                        host,
                        check);
            }
        }
    }

    /** A launch: its chunks' descriptor lists, where each goes, and on how many queues in turn. */
    private record Launch(
            String name, UnpackMode mode, ScatterList[] lists, long[] targets, long chunkBytes, int queues) {
        long bytes() {
            return chunkBytes * lists.length;
        }

        int descriptors() {
            return Arrays.stream(lists).mapToInt(ScatterList::count).sum();
        }

        Launch onQueues(int n) {
            return new Launch(name, mode, lists, targets, chunkBytes, n);
        }
    }

    /** Pages of each chunk in random order over the whole bounce buffer, {@code shift} bytes off their places. */
    private Launch scattered(String name, UnpackMode mode, int chunks, int chunkBytes, int fragment, int shift) {
        int perChunk = (chunkBytes + fragment - 1) / fragment;
        int place = (fragment + 15 + (shift > 0 ? 16 : 0)) & -16;
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < perChunk * chunks; i++) {
            places.add(i * place);
        }
        Collections.shuffle(places, new Random(chunks * 31L + fragment));
        ScatterList[] all = new ScatterList[chunks];
        long[] targets = new long[chunks];
        for (int c = 0; c < chunks; c++) {
            MemorySegment list = lists.host().orElseThrow().asSlice(listBytes, perChunk * 16L);
            for (int i = 0; i < perChunk; i++) {
                list.set(ValueLayout.JAVA_INT, i * 16L, places.get(c * perChunk + i) + shift);
                list.set(ValueLayout.JAVA_INT, i * 16L + 4, Math.min(fragment, chunkBytes - i * fragment));
                list.set(ValueLayout.JAVA_LONG, i * 16L + 8, (long) i * fragment);
            }
            all[c] = new ScatterList();
            // as TCPX's: nobody says how long the bounce buffer is
            all[c].set(list, perChunk, lists.address() + listBytes, bounce.address(), Long.MAX_VALUE);
            listBytes += (perChunk * 16L + 127) & -128;
            targets[c] = target.address() + (long) c * chunkBytes;
        }
        return new Launch(name, mode, all, targets, chunkBytes, 1);
    }

    /** Destinations in random order too, as pages come over several sockets. */
    private static Launch scrambled(Launch l) {
        for (ScatterList list : l.lists()) {
            Random random = new Random(list.count());
            MemorySegment d = list.descriptors();
            for (int i = list.count() - 1; i > 0; i--) {
                long a = i * 16L;
                long b = random.nextInt(i + 1) * 16L;
                for (long w = 0; w < 16; w += 8) {
                    long t = d.get(ValueLayout.JAVA_LONG, a + w);
                    d.set(ValueLayout.JAVA_LONG, a + w, d.get(ValueLayout.JAVA_LONG, b + w));
                    d.set(ValueLayout.JAVA_LONG, b + w, t);
                }
            }
        }
        return l;
    }

    /** Lists that the GPU does not read where they lie: they are copied for it. */
    private Launch copied(Launch l) {
        for (ScatterList list : l.lists()) {
            list.set(list.descriptors(), list.count(), 0, bounce.address(), Long.MAX_VALUE);
        }
        return l;
    }

    private void sideBySide() throws TransportException {
        int all = CHUNK * CHUNKS;
        List<Launch> launches = List.of(
                scattered("one plain copy of 8 MiB", UnpackMode.COPIES, 1, all, all, 0),
                scattered("one plain copy, two streams in turn", UnpackMode.COPIES, 1, all, all, 0)
                        .onQueues(2),
                scattered("kernel, 16 x 512 KiB, 4 KiB pages", UnpackMode.KERNEL, CHUNKS, CHUNK, PAGE, 0),
                scrambled(scattered("kernel, destinations scrambled too", UnpackMode.KERNEL, CHUNKS, CHUNK, PAGE, 0)),
                copied(scattered("kernel, lists copied to the ring", UnpackMode.KERNEL, CHUNKS, CHUNK, PAGE, 0)),
                scattered("kernel, two streams in turn", UnpackMode.KERNEL, CHUNKS, CHUNK, PAGE, 0)
                        .onQueues(2),
                scattered("kernel, the same, off by one byte", UnpackMode.KERNEL, CHUNKS, CHUNK, PAGE, 1),
                scattered("kernel, the same, off by seven", UnpackMode.KERNEL, CHUNKS, CHUNK, PAGE, 7),
                scattered("kernel, one chunk of 512 KiB", UnpackMode.KERNEL, 1, CHUNK, PAGE, 0),
                scattered("sixteen plain copies of 512 KiB", UnpackMode.COPIES, CHUNKS, CHUNK, CHUNK, 0),
                scattered("one copy a fragment", UnpackMode.COPIES, CHUNKS, CHUNK, PAGE, 0));
        double[][] nanos = new double[launches.size()][rounds];
        double[][] host = new double[launches.size()][rounds];
        double[][] check = new double[launches.size()][rounds];
        for (Launch l : launches) {
            verify(l);
        }
        for (int round = -rounds / 3; round < rounds; round++) {
            for (int i = 0; i < launches.size(); i++) {
                Launch l = launches.get(i);
                Time t = time(l, l.descriptors() > 1000 && l.mode() == UnpackMode.COPIES ? 5 : times);
                if (round >= 0) {
                    nanos[i][round] = t.whole();
                    host[i][round] = t.host();
                    check[i][round] = t.check();
                }
            }
        }
        double plain = median(nanos[0]);
        for (int i = 0; i < launches.size(); i++) {
            Launch l = launches.get(i);
            double ns = median(nanos[i]);
            System.out.printf(
                    Locale.ROOT,
                    "{\"table\":\"unpack\",\"case\":\"%s\",\"bytes\":%d,\"descriptors\":%d,\"us\":%.2f,\"host_us\":%.2f,\"check_us\":%.2f,"
                            + "\"gb_per_s\":%.1f,\"of_plain_copy\":%s,\"verified\":true}%n",
                    l.name(),
                    l.bytes(),
                    l.descriptors(),
                    ns / 1e3,
                    median(host[i]) / 1e3,
                    median(check[i]) / 1e3,
                    l.bytes() / ns,
                    l.bytes() == all ? String.format(Locale.ROOT, "%.3f", plain / ns) : "null");
        }
    }

    private void descriptorTable() throws TransportException {
        for (int count : new int[] {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048}) {
            for (int shift : new int[] {0, 1}) {
                Launch l = scattered("table", UnpackMode.KERNEL, 1, count * PAGE, PAGE, shift);
                verify(l);
                time(l, times);
                double[] nanos = new double[rounds];
                double[] host = new double[rounds];
                for (int round = 0; round < rounds; round++) {
                    Time t = time(l, times);
                    nanos[round] = t.whole();
                    host[round] = t.host();
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

    /** Nanoseconds per launch of a full pipeline: of all, of the host's part, and of that the bounds check's. */
    private record Time(double whole, double host, double check) {}

    private Time time(Launch l, int launches) throws TransportException {
        int chunks = l.lists().length;
        int queues = l.queues();
        UnpackQueue[] queue = new UnpackQueue[queues];
        long[] ticket = new long[queues];
        for (int q = 0; q < queues; q++) {
            queue[q] = gpu.unpackQueue(l.mode(), CAPACITY);
            ticket[q] = launch(queue[q], l);
            await(queue[q], ticket[q]);
        }
        long hostNanos = 0;
        long checkNanos = 0;
        long start = System.nanoTime();
        for (int i = 0; i < launches; i++) {
            int q = i % queues;
            while (ticket[q] - queue[q].completed() > (IN_FLIGHT / queues - 1L) * chunks) {
                Thread.onSpinWait();
            }
            long begin = System.nanoTime();
            for (ScatterList list : l.lists()) {
                list.check(l.chunkBytes());
            }
            long checked = System.nanoTime();
            ticket[q] = launch(queue[q], l);
            hostNanos += System.nanoTime() - begin;
            checkNanos += checked - begin;
        }
        for (int q = 0; q < queues; q++) {
            await(queue[q], ticket[q]);
        }
        long end = System.nanoTime();
        for (UnpackQueue q : queue) {
            q.close();
        }
        return new Time(
                (double) (end - start) / launches, (double) hostNanos / launches, (double) checkNanos / launches);
    }

    private static long launch(UnpackQueue queue, Launch l) {
        long ticket = 0;
        for (int c = 0; c < l.lists().length; c++) {
            ticket = queue.enqueue(l.lists()[c], l.targets()[c], l.chunkBytes());
        }
        queue.flush();
        return ticket;
    }

    private static void await(UnpackQueue queue, long ticket) {
        while (queue.completed() < ticket) {
            Thread.onSpinWait();
        }
    }

    private void verify(Launch l) throws TransportException {
        byte[] source = new byte[(int) bounce.size()];
        new Random(l.descriptors()).nextBytes(source);
        gpu.write(bounce, 0, MemorySegment.ofArray(source));
        gpu.write(target, 0, MemorySegment.ofArray(new byte[(int) l.bytes()]));
        for (ScatterList list : l.lists()) {
            list.check(l.chunkBytes());
        }
        try (UnpackQueue queue = gpu.unpackQueue(l.mode(), CAPACITY)) {
            await(queue, launch(queue, l));
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
