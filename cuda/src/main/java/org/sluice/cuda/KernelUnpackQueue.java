package org.sluice.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.sluice.spi.GpuException;
import org.sluice.spi.ScatterList;
import org.sluice.spi.UnpackQueue;

/**
 * Unpacks many chunks in one kernel launch. The kernel reads the descriptors over PCIe: where the plugin wrote them, if that is
 * page-locked memory, or from a pinned ring that they are copied to. Long fragments are cut on their way into the ring, so that
 * each warp of the launch moves a piece of about the same length.
 */
final class KernelUnpackQueue implements UnpackQueue {
    // as in kernels.cu, struct Launch
    private static final int MOST_CHUNKS = 64;
    private static final int ITEMS_PER_BLOCK = 8;
    private static final int THREADS = 32 * ITEMS_PER_BLOCK;
    private static final int ITEM_BYTES = ScatterList.DESCRIPTOR_BYTES;
    private static final long LAUNCH_CHUNK_COUNT = 0;
    private static final long LAUNCH_CHUNKS = 8;
    private static final long CHUNK_ITEMS = 0;
    private static final long CHUNK_SOURCE = 8;
    private static final long CHUNK_DESTINATION = 16;
    private static final long CHUNK_FIRST_BLOCK = 24;
    private static final long CHUNK_ITEM_COUNT = 28;
    private static final long CHUNK_BYTES = 32;
    private static final long LAUNCH_BYTES = LAUNCH_CHUNKS + MOST_CHUNKS * CHUNK_BYTES;

    /** The least that a warp is given of a long fragment: a page, eight 16-byte loads a lane, all in flight together. */
    private static final long PIECE_BYTES = 4096;

    /** The most pieces that cutting adds to a chunk; pieces of very long chunks are longer instead. */
    private static final long MOST_CUTS = 1024;

    /**
     * The ring, pinned. A chunk of 512 KiB in pages takes 2 KiB of it: this is room for all 1024 that 64 channels have in flight.
     * A chunk takes at most 48 KiB.
     */
    private static final long RING_BYTES = 4 << 20;

    private final CudaContext context;
    private final long function;
    private final StreamTickets tickets;
    private final PinnedMemory pinned;
    private final MemorySegment ring;
    private final long ringOnDevice;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment launch = arena.allocate(LAUNCH_BYTES, 8);
    private final MemorySegment parameters = arena.allocate(ValueLayout.ADDRESS);
    /** Where in the ring the launches in flight end, with the ticket that says they are over. */
    private final long[] endOfLaunch;

    private final long[] ticketOfLaunch;
    private final int mask;
    private long oldestLaunch;
    private long nextLaunch;
    /** Ring positions count up for ever: {@code head} of what is written, {@code tail} of what is in flight. */
    private long head;

    private long tail;
    private int chunks;
    private int blocks;

    KernelUnpackQueue(CudaContext context, long function, int capacity) {
        this.context = context;
        this.function = function;
        this.tickets = new StreamTickets(context, capacity);
        this.pinned = new PinnedMemory(context, RING_BYTES);
        this.ring = pinned.segment();
        this.ringOnDevice = pinned.deviceAddress();
        parameters.set(ValueLayout.JAVA_LONG, 0, launch.address());
        int launches = Integer.highestOneBit(Math.max(1, capacity * 2 - 1));
        this.endOfLaunch = new long[launches];
        this.ticketOfLaunch = new long[launches];
        this.mask = launches - 1;
    }

    @Override
    public long enqueue(ScatterList list, long destination, long bytes) {
        int count = list.count();
        long piece = Math.max(PIECE_BYTES, (bytes / MOST_CUTS + PIECE_BYTES - 1) & -PIECE_BYTES);
        boolean cuts = list.longest() > piece;
        boolean inPlace = !cuts && list.descriptorsOnGpu() != 0 && list.descriptorsOnGpu() % ITEM_BYTES == 0;
        if (!inPlace) {
            reserve(count + (cuts ? bytes / piece : 0));
        }
        long ticket = tickets.issue();
        if (count == 0) {
            return ticket;
        }
        long items = list.descriptorsOnGpu();
        if (!inPlace) {
            long first = head;
            if (cuts) {
                for (int i = 0; i < count; i++) {
                    cut(list.sourceOffset(i), list.length(i), list.destinationOffset(i), piece);
                }
            } else {
                MemorySegment.copy(list.descriptors(), 0, ring, head % RING_BYTES, (long) count * ITEM_BYTES);
                head += (long) count * ITEM_BYTES;
            }
            items = ringOnDevice + first % RING_BYTES;
            count = (int) ((head - first) / ITEM_BYTES);
        }
        long at = LAUNCH_CHUNKS + chunks * CHUNK_BYTES;
        launch.set(ValueLayout.JAVA_LONG, at + CHUNK_ITEMS, items);
        launch.set(ValueLayout.JAVA_LONG, at + CHUNK_SOURCE, list.bounceBuffer());
        launch.set(ValueLayout.JAVA_LONG, at + CHUNK_DESTINATION, destination);
        launch.set(ValueLayout.JAVA_INT, at + CHUNK_FIRST_BLOCK, blocks);
        launch.set(ValueLayout.JAVA_INT, at + CHUNK_ITEM_COUNT, count);
        blocks += (count + ITEMS_PER_BLOCK - 1) / ITEMS_PER_BLOCK;
        if (++chunks == MOST_CHUNKS) {
            flush();
        }
        return ticket;
    }

    private void cut(long source, long length, long destination, long piece) {
        for (long done = 0; done < length; ) {
            // source offsets have 32 bits: what lies beyond belongs to the last piece that begins below
            boolean last = length - done <= piece || source + done + piece >= 1L << 32;
            long n = last ? length - done : piece;
            long at = head % RING_BYTES;
            ring.set(ValueLayout.JAVA_INT, at, (int) (source + done));
            ring.set(ValueLayout.JAVA_INT, at + 4, (int) n);
            ring.set(ValueLayout.JAVA_LONG, at + 8, destination + done);
            head += ITEM_BYTES;
            done += n;
        }
    }

    /** Makes room for so many items in a row; launches what is held back, and waits for the oldest, where that is needed. */
    private void reserve(long items) {
        long need = items * ITEM_BYTES;
        if (RING_BYTES - head % RING_BYTES < need) {
            head += RING_BYTES - head % RING_BYTES; // a chunk's list lies in one piece: on to the ring's beginning
        }
        long began = 0;
        while (head + need - tail > RING_BYTES) {
            flush();
            completed();
            long now = System.nanoTime();
            began = began == 0 ? now : began;
            if (now - began > CudaStream.DEADLINE_NANOS) {
                throw new GpuException(
                        context.where() + ": unpack kernels do not end; the GPU hangs, see nvidia-smi", 0);
            }
        }
    }

    @Override
    public boolean hasRoom() {
        return tickets.hasRoom();
    }

    @Override
    public void flush() {
        if (chunks > 0) {
            launch.set(ValueLayout.JAVA_INT, LAUNCH_CHUNK_COUNT, chunks);
            int n = blocks;
            chunks = 0;
            blocks = 0;
            context.check(
                    context.driver().launch(function, n, THREADS, tickets.stream.handle, parameters.address()),
                    "cuLaunchKernel of sluice_unpack");
        }
        if (tickets.marked() != tickets.issued()) {
            tickets.mark();
            retire(tickets.done());
            int slot = (int) nextLaunch++ & mask;
            endOfLaunch[slot] = head;
            ticketOfLaunch[slot] = tickets.issued();
        }
    }

    @Override
    public long completed() {
        long done = tickets.completed();
        retire(done);
        return done;
    }

    private void retire(long done) {
        while (oldestLaunch != nextLaunch && ticketOfLaunch[(int) oldestLaunch & mask] <= done) {
            tail = endOfLaunch[(int) oldestLaunch++ & mask];
        }
    }

    @Override
    public void close() {
        try {
            flush();
        } finally {
            try {
                tickets.close();
            } finally {
                pinned.close();
                arena.close();
            }
        }
    }
}
