package org.sluice.bench.gpu;

import java.util.Arrays;
import java.util.Locale;
import org.sluice.UnpackMode;
import org.sluice.spi.ScatterList;
import org.sluice.spi.UnpackQueue;

/** Takes the time of each chunk, from when it is queued to when it is seen done, and of the calls; says them when it is closed. */
final class TimedUnpack implements UnpackQueue {
    /** The newest so many chunks are kept. */
    private static final int KEPT = 1 << 16;

    /** A link's own messages are shorter. */
    private static final long LEAST_BYTES = 64 << 10;

    private final UnpackQueue queue;
    private final int gpu;
    private final UnpackMode mode;
    private final long[] queuedAt;
    private final long[] bytes;
    private final long[] nanos = new long[KEPT];
    private long chunks;
    private long allBytes;
    private long hostNanos;
    private long launches;
    private long queued;
    private long flushed;
    private long done;

    TimedUnpack(UnpackQueue queue, int gpu, UnpackMode mode, int capacity) {
        this.queue = queue;
        this.gpu = gpu;
        this.mode = mode;
        this.queuedAt = new long[capacity];
        this.bytes = new long[capacity];
    }

    @Override
    public long enqueue(ScatterList list, long destination, long length) {
        long now = System.nanoTime();
        queued = queue.enqueue(list, destination, length);
        hostNanos += System.nanoTime() - now;
        queuedAt[(int) (queued % queuedAt.length)] = now;
        bytes[(int) (queued % bytes.length)] = length;
        return queued;
    }

    @Override
    public boolean hasRoom() {
        return queue.hasRoom();
    }

    @Override
    public void flush() {
        if (flushed < queued) {
            long now = System.nanoTime();
            queue.flush();
            hostNanos += System.nanoTime() - now;
            flushed = queued;
            launches++;
        }
    }

    @Override
    public long completed() {
        long seen = queue.completed();
        if (seen > done) {
            long now = System.nanoTime();
            for (long t = done + 1; t <= seen; t++) {
                if (bytes[(int) (t % bytes.length)] >= LEAST_BYTES) {
                    nanos[(int) (chunks++ % KEPT)] = now - queuedAt[(int) (t % queuedAt.length)];
                    allBytes += bytes[(int) (t % bytes.length)];
                }
            }
            done = seen;
        }
        return seen;
    }

    @Override
    public void close() {
        queue.close();
        if (chunks > 0) {
            long[] sorted = Arrays.copyOf(nanos, (int) Math.min(chunks, KEPT));
            Arrays.sort(sorted);
            System.out.printf(
                    Locale.ROOT,
                    "{\"unpack\":\"%s\",\"gpu\":%d,\"chunks\":%d,\"mean_chunk_bytes\":%d,\"chunks_a_launch\":%.2f,"
                            + "\"host_us\":%.2f,\"p50_us\":%.2f,\"p99_us\":%.2f}%n",
                    mode.name().toLowerCase(Locale.ROOT),
                    gpu,
                    chunks,
                    allBytes / chunks,
                    (double) queued / launches,
                    hostNanos / 1e3 / queued,
                    sorted[sorted.length / 2] / 1e3,
                    sorted[sorted.length * 99 / 100] / 1e3);
        }
    }
}
