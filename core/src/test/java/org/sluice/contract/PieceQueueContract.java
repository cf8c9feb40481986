package org.sluice.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PieceQueue;
import org.sluice.spi.PieceQueue.Direction;

/** What a queue of pieces does on every kind of GPU: right bytes, at their places and nowhere else, whatever the list is. */
public abstract class PieceQueueContract {
    private Gpu gpu;

    /** Opens the GPU under test. */
    protected abstract Gpu openGpu();

    @BeforeEach
    final void open() {
        gpu = openGpu();
        gpu.bindThread();
    }

    @AfterEach
    final void close() {
        gpu.close();
        afterClose();
    }

    /** Looks for what was left behind. */
    protected void afterClose() {}

    @ParameterizedTest
    @EnumSource(Direction.class)
    @DisplayName("blocks in random order, to and from pinned memory")
    void blocks(Direction direction) {
        PieceCase.onPinned(gpu, direction)
                .blocks(512, 16 << 10)
                .chunk(512 << 10)
                .check();
        PieceCase.onPinned(gpu, direction).blocks(64, 64 << 10).chunk(512 << 10).check();
        PieceCase.onPinned(gpu, direction)
                .blocks(1024, 4 << 10)
                .chunk(512 << 10)
                .check();
    }

    @ParameterizedTest
    @EnumSource(Direction.class)
    @DisplayName("the one range may be the GPU's own memory")
    void onTheGpu(Direction direction) {
        PieceCase.onDevice(gpu, direction).blocks(256, 16 << 10).chunk(1 << 20).check();
        PieceCase.onDevice(gpu, direction).random(1000, 9000).chunk(100_000).check();
    }

    @ParameterizedTest
    @CsvSource({"GATHER,1", "GATHER,3", "GATHER,300", "SCATTER,1", "SCATTER,3", "SCATTER,300"})
    @DisplayName("pieces of one byte and few, at every alignment")
    void tiny(Direction direction, int longest) {
        PieceCase.onPinned(gpu, direction).random(5000, longest).chunk(7000).check();
    }

    @ParameterizedTest
    @EnumSource(Direction.class)
    @DisplayName("pieces of any length and alignment, some of none")
    void anyLength(Direction direction) {
        for (int longest : new int[] {4095, 4097, 6144, 70_000}) {
            PieceCase.onPinned(gpu, direction)
                    .random(400, longest)
                    .chunk(200_001)
                    .check();
        }
    }

    @ParameterizedTest
    @EnumSource(Direction.class)
    @DisplayName("a piece that is longer than many warps' share, alone in its chunk")
    void onePiece(Direction direction) {
        PieceCase.onPinned(gpu, direction)
                .blocks(3, (9 << 20) + 5)
                .chunk((9 << 20) + 5)
                .check();
    }

    @ParameterizedTest
    @EnumSource(Direction.class)
    @DisplayName("a chunk of nothing has its ticket")
    void nothing(Direction direction) {
        try (PieceQueue queue = gpu.pieceQueue(direction, 4, 4);
                GpuMemory range = gpu.allocatePinned(4096);
                GpuMemory list = gpu.allocatePinned(4096)) {
            assertThat(queue.completed()).isZero();
            assertThat(queue.hasRoom(0)).isTrue();
            assertThat(queue.enqueue(list.address(), 0, range.address(), 0)).isEqualTo(1);
            queue.flush();
            PieceCase.await(queue, 1);
            queue.flush();
            assertThat(queue.completed()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {99, 101, 0, -1})
    @DisplayName("pieces that do not sum to the range are refused, and the queue goes on")
    void wrongSum(long bytes) {
        try (Arena arena = Arena.ofConfined();
                GpuMemory memory = gpu.allocate(4096);
                GpuMemory range = gpu.allocatePinned(4096);
                PieceQueue queue = gpu.pieceQueue(Direction.GATHER, 4, 16)) {
            MemorySegment list = PieceCase.list(arena, new long[][] {{memory.address(), 60}, {memory.address(), 40}});
            assertThatThrownBy(() -> queue.enqueue(list.address(), 2, range.address(), bytes))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("2 pieces")
                    .hasMessageContaining(bytes + " bytes");
            MemorySegment negative =
                    PieceCase.list(arena, new long[][] {{memory.address(), -60}, {memory.address(), 160}});
            assertThatThrownBy(() -> queue.enqueue(negative.address(), 2, range.address(), 100))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(queue.enqueue(list.address(), 2, range.address(), 100)).isEqualTo(1);
            queue.flush();
            PieceCase.await(queue, 1);
        }
    }

    @Test
    @DisplayName("the list may be written over as soon as its chunk is queued, and rooms count pieces and chunks")
    void room() {
        try (Arena arena = Arena.ofConfined();
                GpuMemory memory = gpu.allocate(1 << 20);
                GpuMemory range = gpu.allocatePinned(64 << 10);
                PieceQueue queue = gpu.pieceQueue(Direction.GATHER, 3, 8)) {
            gpu.fill(memory, 0, 1 << 20, 1);
            MemorySegment list = PieceCase.list(arena, new long[8][2]);
            assertThat(queue.hasRoom(8)).isTrue();
            assertThat(queue.hasRoom(9)).isFalse();
            for (int round = 0; round < 200; round++) {
                int pieces = 1 + round % 8;
                PieceCase.awaitRoom(queue, pieces);
                PieceCase.put(list, 0, memory.address() + round * 8L, 4096);
                for (int i = 1; i < pieces; i++) {
                    PieceCase.put(list, i, memory.address() + 4096 + i * 64L, 64);
                }
                long bytes = 4096 + 64L * (pieces - 1);
                assertThat(queue.enqueue(list.address(), pieces, range.address(), bytes))
                        .isEqualTo(round + 1);
                list.fill((byte) 0x55);
            }
            queue.flush();
            PieceCase.await(queue, 200);
            byte[] got = new byte[4096];
            gpu.read(memory, 199 * 8L, MemorySegment.ofArray(got));
            assertThat(range.host().orElseThrow().asSlice(0, 4096).mismatch(MemorySegment.ofArray(got)))
                    .isEqualTo(-1);
            assertThatThrownBy(() -> queue.enqueue(list.address(), 9, range.address(), 9))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    @DisplayName("nothing is allocated for a piece")
    void allocatesNothing() {
        int pieces = 4096;
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Arena arena = Arena.ofConfined();
                GpuMemory memory = gpu.allocate(pieces * 64L);
                GpuMemory range = gpu.allocatePinned(pieces * 32L);
                PieceQueue queue = gpu.pieceQueue(Direction.GATHER, 4, pieces)) {
            long[][] places = new long[pieces][];
            for (int i = 0; i < pieces; i++) {
                places[i] = new long[] {memory.address() + (pieces - 1 - i) * 64L, 32};
            }
            MemorySegment list = PieceCase.list(arena, places);
            long[] allocated = new long[60];
            for (int round = 0; round < allocated.length; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                long ticket = queue.enqueue(list.address(), pieces, range.address(), pieces * 32L);
                queue.flush();
                PieceCase.await(queue, ticket);
                allocated[round] = threads.getCurrentThreadAllocatedBytes() - before;
            }
            Arrays.sort(allocated, 30, 60);
            assertThat(allocated[30])
                    .as("bytes for a chunk of %d pieces", pieces)
                    .isLessThan(pieces / 8);
        }
    }

    @Test
    @DisplayName("closing waits for what was queued")
    void closeWaits() {
        try (Arena arena = Arena.ofConfined();
                GpuMemory memory = gpu.allocate(1 << 20);
                GpuMemory range = gpu.allocatePinned(1 << 20)) {
            byte[] bytes = new byte[1 << 20];
            new Random(5).nextBytes(bytes);
            gpu.write(memory, 0, MemorySegment.ofArray(bytes));
            PieceQueue queue = gpu.pieceQueue(Direction.GATHER, 64, 64);
            for (int i = 0; i < 16; i++) {
                MemorySegment list = PieceCase.list(arena, new long[][] {{memory.address() + i * 65536L, 65536}});
                queue.enqueue(list.address(), 1, range.address() + i * 65536L, 65536);
                if (i % 5 == 0) {
                    queue.flush();
                }
            }
            queue.close();
            assertThat(range.host().orElseThrow().mismatch(MemorySegment.ofArray(bytes)))
                    .isEqualTo(-1);
        }
    }
}
