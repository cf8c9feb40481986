package org.sluice.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PieceQueue;
import org.sluice.spi.PieceQueue.Direction;

/**
 * Pieces in random order in a pool of GPU memory, moved chunk by chunk. All of the pool and of the range is compared, the bytes
 * between the pieces too.
 */
final class PieceCase {
    static final long DEADLINE_NANOS = 20_000_000_000L;
    private static final int CHUNKS_IN_FLIGHT = 8;

    private final Gpu gpu;
    private final Direction direction;
    private final boolean pinned;
    private final Random random = new Random(7);
    /** Offset in the pool and length of each piece, in the order of the stream. */
    private final List<long[]> pieces = new ArrayList<>();

    private long poolBytes;
    private long streamBytes;
    private long chunkBytes;

    private PieceCase(Gpu gpu, Direction direction, boolean pinned) {
        this.gpu = gpu;
        this.direction = direction;
        this.pinned = pinned;
    }

    static PieceCase onPinned(Gpu gpu, Direction direction) {
        return new PieceCase(gpu, direction, true);
    }

    static PieceCase onDevice(Gpu gpu, Direction direction) {
        return new PieceCase(gpu, direction, false);
    }

    /** Blocks of one size, every second of a pool. */
    PieceCase blocks(int count, long bytes) {
        for (long i = 0; i < count; i++) {
            pieces.add(new long[] {2 * i * bytes, bytes});
        }
        return laidOut(2L * count * bytes, count * bytes);
    }

    /** Pieces of random lengths, some empty, with gaps that put them at every alignment. */
    PieceCase random(int count, int longest) {
        long at = 0;
        long sum = 0;
        for (int i = 0; i < count; i++) {
            at += random.nextInt(33);
            long length = random.nextInt(9) == 0 ? 0 : 1 + random.nextInt(longest);
            pieces.add(new long[] {at, length});
            at += length;
            sum += length;
        }
        return laidOut(at + 64, sum);
    }

    private PieceCase laidOut(long pool, long stream) {
        poolBytes = pool;
        streamBytes = stream;
        Collections.shuffle(pieces, random);
        return this;
    }

    /** The stream is cut into chunks of so many bytes, in the middle of pieces too. */
    PieceCase chunk(long bytes) {
        chunkBytes = bytes;
        return this;
    }

    void check() {
        byte[] pool = new byte[(int) poolBytes];
        byte[] stream = new byte[(int) streamBytes];
        random.nextBytes(pool);
        random.nextBytes(stream);
        try (Arena arena = Arena.ofConfined();
                GpuMemory poolMemory = gpu.allocate(poolBytes);
                GpuMemory streamMemory =
                        pinned ? gpu.allocatePinned(streamBytes + 16) : gpu.allocate(streamBytes + 16);
                PieceQueue queue = gpu.pieceQueue(direction, CHUNKS_IN_FLIGHT, pieces.size() + CHUNKS_IN_FLIGHT)) {
            long shift = random.nextInt(16); // the range begins anywhere too
            gpu.write(poolMemory, 0, MemorySegment.ofArray(pool));
            write(streamMemory, shift, stream);
            move(arena, queue, poolMemory.address(), streamMemory.address() + shift);
            byte[] poolNow = new byte[pool.length];
            gpu.read(poolMemory, 0, MemorySegment.ofArray(poolNow));
            byte[] streamNow = read(streamMemory, shift, stream.length);
            expect(pool, stream);
            assertThat(MemorySegment.ofArray(poolNow).mismatch(MemorySegment.ofArray(pool)))
                    .as("first wrong byte of the pool")
                    .isEqualTo(-1);
            assertThat(MemorySegment.ofArray(streamNow).mismatch(MemorySegment.ofArray(stream)))
                    .as("first wrong byte of the range")
                    .isEqualTo(-1);
        }
    }

    private void move(Arena arena, PieceQueue queue, long pool, long range) {
        MemorySegment list = list(arena, new long[pieces.size() + 1][2]);
        int piece = 0;
        long within = 0; // bytes of the piece that are done
        long ticket = 0;
        for (long done = 0; done < streamBytes; ) {
            long bytes = Math.min(chunkBytes, streamBytes - done);
            int count = 0;
            for (long filled = 0; filled < bytes; ) {
                long[] p = pieces.get(piece);
                long n = Math.min(p[1] - within, bytes - filled);
                put(list, count++, pool + p[0] + within, n);
                filled += n;
                within += n;
                if (within == p[1]) {
                    piece++;
                    within = 0;
                }
            }
            awaitRoom(queue, count);
            assertThat(queue.enqueue(list.address(), count, range + done, bytes))
                    .isEqualTo(++ticket);
            list.fill((byte) 0x77);
            if (random.nextInt(3) == 0) {
                queue.flush();
            }
            done += bytes;
        }
        queue.flush();
        await(queue, ticket);
    }

    private void expect(byte[] pool, byte[] stream) {
        int at = 0;
        for (long[] p : pieces) {
            if (direction == Direction.GATHER) {
                System.arraycopy(pool, (int) p[0], stream, at, (int) p[1]);
            } else {
                System.arraycopy(stream, at, pool, (int) p[0], (int) p[1]);
            }
            at += (int) p[1];
        }
    }

    private void write(GpuMemory memory, long offset, byte[] bytes) {
        if (memory.host().isPresent()) {
            memory.host().get().asSlice(offset, bytes.length).copyFrom(MemorySegment.ofArray(bytes));
        } else {
            gpu.write(memory, offset, MemorySegment.ofArray(bytes));
        }
    }

    private byte[] read(GpuMemory memory, long offset, int bytes) {
        byte[] got = new byte[bytes];
        if (memory.host().isPresent()) {
            MemorySegment.ofArray(got).copyFrom(memory.host().get().asSlice(offset, bytes));
        } else {
            gpu.read(memory, offset, MemorySegment.ofArray(got));
        }
        return got;
    }

    static MemorySegment list(Arena arena, long[][] places) {
        MemorySegment list = arena.allocate((long) places.length * PieceQueue.PIECE_BYTES, 8);
        for (int i = 0; i < places.length; i++) {
            put(list, i, places[i][0], places[i][1]);
        }
        return list;
    }

    static void put(MemorySegment list, int i, long address, long bytes) {
        list.set(ValueLayout.JAVA_LONG, (long) i * PieceQueue.PIECE_BYTES, address);
        list.set(ValueLayout.JAVA_LONG, (long) i * PieceQueue.PIECE_BYTES + 8, bytes);
    }

    static void awaitRoom(PieceQueue queue, int pieces) {
        long deadline = System.nanoTime() + DEADLINE_NANOS;
        while (!queue.hasRoom(pieces)) {
            queue.flush();
            spin(deadline, "there is no room");
        }
    }

    static void await(PieceQueue queue, long ticket) {
        long deadline = System.nanoTime() + DEADLINE_NANOS;
        while (queue.completed() < ticket) {
            spin(deadline, "chunks are not done");
        }
    }

    /** Allocates nothing: what is allocated meanwhile is counted. */
    private static void spin(long deadline, String what) {
        if (System.nanoTime() > deadline) {
            throw new AssertionError(what + " in time");
        }
        Thread.onSpinWait();
    }
}
