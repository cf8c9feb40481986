package org.sluice.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalInt;
import java.util.Random;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.UnpackMode;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;

/** What every CUDA GPU does, the fake driver's and a real one: the same tests for both. */
abstract class GpuContract {
    private static final long SEED = 0x1234_5678_9ABC_DEFL;

    private Gpu gpu;

    /** The library under test. */
    abstract CudaLibrary library();

    @BeforeEach
    void open() {
        gpu = new CudaBackend(library()).open(0);
        gpu.bindThread();
    }

    @AfterEach
    void close() {
        gpu.close();
        gpu.close();
    }

    final Gpu gpu() {
        return gpu;
    }

    @Test
    void tellsWhatItIs() {
        assertThat(gpu.id()).isZero();
        assertThat(gpu.name()).isNotBlank();
        assertThat(gpu.memoryKind()).isEqualTo(MemoryKind.CUDA);
        assertThat(gpu.hostAccessible()).isFalse();
        assertThat(gpu.pciBusId()).matches("[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]");
        assertThat(gpu.numaNode()).isGreaterThanOrEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 4095, 4096, 4097, 1 << 20, (64 << 20) + 1})
    void deviceMemoryIsAlignedToPages(long bytes) {
        try (GpuMemory m = gpu.allocate(bytes)) {
            assertThat(m.address() & 4095).isZero();
            assertThat(m.size()).isEqualTo(bytes);
            assertThat(m.host()).isEmpty();
            gpu.fill(m, 0, bytes, SEED);
            assertThat(gpu.mismatch(m, 0, bytes, SEED)).isEqualTo(-1);
        }
    }

    @Test
    void freeingTwiceIsSafe() {
        GpuMemory m = gpu.allocate(1 << 16);
        m.close();
        m.close();
        GpuMemory pinned = gpu.allocatePinned(1 << 16);
        pinned.close();
        pinned.close();
    }

    @Test
    void writesAndReadsAnyJavaMemory() {
        int length = (5 << 20) + 3; // over two turns of the pinned buffer
        byte[] bytes = new byte[length];
        new Random(1).nextBytes(bytes);
        try (GpuMemory m = gpu.allocate(length + 13);
                Arena arena = Arena.ofConfined()) {
            gpu.write(m, 13, MemorySegment.ofArray(bytes));
            MemorySegment back = arena.allocate(length);
            gpu.read(m, 13, back);
            assertThat(back.mismatch(MemorySegment.ofArray(bytes))).isEqualTo(-1);
        }
    }

    @Test
    void refusesRangesOutsideABlock() {
        try (GpuMemory m = gpu.allocate(100)) {
            assertThatThrownBy(() -> gpu.read(m, 90, MemorySegment.ofArray(new byte[11])))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining("block of 100 bytes");
            assertThatThrownBy(() -> gpu.fill(m, 8, 93, 0)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> gpu.fill(m, 4, 8, 0)).hasMessageContaining("multiple of 8");
        }
    }

    @ParameterizedTest
    @CsvSource({"0,1", "0,7", "0,8", "8,9", "16,4097", "4096,1048576", "8,3000001"})
    void patternIsTheHostGpus(long offset, long bytes) {
        try (Gpu host = hostGpu();
                GpuMemory expected = host.allocate(offset + bytes);
                GpuMemory m = gpu.allocate(offset + bytes + 8)) {
            host.fill(expected, offset, bytes, SEED);
            gpu.fill(m, offset, bytes, SEED);
            byte[] got = read(m, offset, bytes);
            assertThat(MemorySegment.ofArray(got)
                            .mismatch(expected.host().orElseThrow().asSlice(offset, bytes)))
                    .isEqualTo(-1);
            assertThat(gpu.mismatch(m, offset, bytes, SEED)).isEqualTo(-1);
            assertThat(gpu.mismatch(m, offset, bytes, SEED + 1)).isEqualTo(offset);
        }
    }

    @Test
    void fillKeepsToItsRange() {
        try (GpuMemory m = gpu.allocate(4096)) {
            gpu.write(m, 0, MemorySegment.ofArray(new byte[4096]));
            gpu.fill(m, 1024, 1001, SEED);
            byte[] all = read(m, 0, 4096);
            for (int i = 0; i < 4096; i++) {
                if (i < 1024 || i >= 1024 + 1001) {
                    assertThat(all[i]).as("byte " + i).isZero();
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 7, 8, 4095, 4096, 70_000, 999_999, 1_000_000, 1_000_002})
    void mismatchIsTheFirstWrongByte(long wrong) {
        long bytes = 1_000_003;
        try (GpuMemory m = gpu.allocate(bytes + 16)) {
            gpu.fill(m, 16, bytes, SEED);
            flip(m, 16 + wrong);
            flip(m, 16 + bytes - 1);
            if (wrong == bytes - 1) {
                flip(m, 16 + wrong);
            }
            assertThat(gpu.mismatch(m, 16, bytes, SEED)).isEqualTo(16 + wrong);
        }
    }

    @Test
    void patternOnAdoptedMemoryThatLiesAnywhere() {
        try (GpuMemory m = gpu.allocate(8192)) {
            for (int shift = 0; shift < 8; shift++) {
                try (GpuMemory view = gpu.adopt(m.address() + shift, 8000)) {
                    gpu.fill(view, 0, 8000, SEED);
                    assertThat(gpu.mismatch(view, 0, 8000, SEED)).isEqualTo(-1);
                    flip(view, 4321);
                    assertThat(gpu.mismatch(view, 0, 8000, SEED)).isEqualTo(4321);
                }
            }
            assertThat(gpu.mismatch(m, 0, 8, SEED))
                    .as("closing a view frees nothing")
                    .isNotEqualTo(-1);
        }
    }

    @Test
    void adoptsOnlyDeviceMemory() {
        try (GpuMemory pinned = gpu.allocatePinned(4096)) {
            assertThatThrownBy(() -> gpu.adopt(pinned.address(), 4096))
                    .isInstanceOf(GpuException.class)
                    .hasMessageContaining("GPU 0: cannot adopt memory at 0x")
                    .hasMessageContaining("no device memory there");
        }
        assertThatThrownBy(() -> gpu.adopt(0x1000, 4096)).isInstanceOf(GpuException.class);
    }

    @Test
    void exportsDmabufOfItsOwnMemory() {
        try (GpuMemory m = gpu.allocate((2 << 20) + 1)) {
            OptionalInt fd;
            try {
                fd = m.exportDmabuf();
            } catch (GpuException e) {
                // a real driver may lack it: then it says so by name
                assertThat(e).hasMessageContaining("cuMemGetHandleForAddressRange");
                return;
            }
            assertThat(fd.orElseThrow()).isPositive();
            FileDescriptors.close(fd.getAsInt());
            try (GpuMemory view = gpu.adopt(m.address(), 4096)) {
                assertThat(view.exportDmabuf()).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 4097, 1 << 20})
    void copiesKeepTheirOrder(long bytes) {
        int slots = 16;
        try (GpuMemory device = gpu.allocate(slots * bytes);
                GpuMemory pinned = gpu.allocatePinned(slots * bytes);
                CopyQueue out = gpu.copyQueue(CopyQueue.Direction.TO_HOST, slots);
                CopyQueue in = gpu.copyQueue(CopyQueue.Direction.TO_GPU, slots)) {
            assertThat(out.completed()).isZero();
            gpu.fill(device, 0, slots * bytes, SEED);
            for (int i = 0; i < slots; i++) {
                assertThat(out.enqueue(pinned.address() + i * bytes, device.address() + i * bytes, bytes))
                        .isEqualTo(i + 1);
            }
            assertThat(out.enqueued()).isEqualTo(slots);
            gpu.fill(device, 0, 1, ~SEED);
            await(out, slots);
            gpu.fill(device, 0, slots * bytes, SEED + 1);
            for (int i = 0; i < slots; i++) {
                in.enqueue(device.address() + i * bytes, pinned.address() + i * bytes, bytes);
                if (i % 3 == 0) {
                    assertThat(in.completed()).isBetween(0L, (long) i + 1);
                }
            }
            await(in, slots);
            assertThat(gpu.mismatch(device, 8, slots * bytes - 8, SEED)).isEqualTo(-1);
        }
    }

    @Test
    void moreCopiesThanTheCapacityAreRefusedUntilSomeAreDone() {
        try (GpuMemory device = gpu.allocate(64 << 20);
                GpuMemory pinned = gpu.allocatePinned(64 << 20);
                CopyQueue q = gpu.copyQueue(CopyQueue.Direction.TO_HOST, 2)) {
            long refused = 0;
            for (int round = 0; round < 50; round++) {
                boolean room = q.hasRoom();
                try {
                    q.enqueue(pinned.address(), device.address(), 64 << 20);
                } catch (IllegalStateException e) {
                    assertThat(room).as("there was room").isFalse();
                    assertThat(e).hasMessageContaining("2 are in flight");
                    refused++;
                    await(q, q.enqueued());
                }
            }
            assertThat(refused).isPositive();
            await(q, q.enqueued());
            assertThat(q.completed()).isEqualTo(q.enqueued());
        }
    }

    @ParameterizedTest
    @EnumSource(UnpackMode.class)
    void unpacksChunksOfPagesInAnyOrder(UnpackMode mode) {
        ScatterCase.check(gpu, mode, 16, 512 << 10, 4096, 0, 7);
    }

    @ParameterizedTest
    @EnumSource(UnpackMode.class)
    void unpacksAnyAlignmentAndLength(UnpackMode mode) {
        for (int shift = 0; shift < 16; shift++) {
            ScatterCase.check(gpu, mode, 2, 40_000 + shift * 17, 777, shift, shift + 1);
        }
    }

    @ParameterizedTest
    @EnumSource(UnpackMode.class)
    void unpacksFragmentsLongerThanAPiece(UnpackMode mode) {
        ScatterCase.check(gpu, mode, 3, (4 << 20) + 5, 1 << 20, 3, 99);
        ScatterCase.check(gpu, mode, 1, 9 << 20, 9 << 20, 0, 100);
    }

    @ParameterizedTest
    @EnumSource(UnpackMode.class)
    void unpacksAsManyDescriptorsAsAChunkMayHave(UnpackMode mode) {
        ScatterCase.check(gpu, mode, 4, 2048 * 33, 33, 1, 5);
    }

    @Test
    void unpacksMoreChunksThanALaunchAndTheRingHold() {
        // 300 chunks of 2048 descriptors are 9.4 MiB of them; the ring has 4
        ScatterCase.check(gpu, UnpackMode.KERNEL, 300, 2048 * 16, 16, 0, 11);
    }

    /** The GPU that the pattern is defined on. */
    private static Gpu hostGpu() {
        GpuContract.class.getModule().addUses(GpuBackend.class);
        return ServiceLoader.load(GpuBackend.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(b -> b.name().equals("host"))
                .findFirst()
                .orElseThrow()
                .open(0);
    }

    final byte[] read(GpuMemory m, long offset, long bytes) {
        byte[] got = new byte[(int) bytes];
        gpu.read(m, offset, MemorySegment.ofArray(got));
        return got;
    }

    private void flip(GpuMemory m, long offset) {
        MemorySegment one = MemorySegment.ofArray(read(m, offset, 1));
        one.set(ValueLayout.JAVA_BYTE, 0, (byte) ~one.get(ValueLayout.JAVA_BYTE, 0));
        gpu.write(m, offset, one);
    }

    static void await(CopyQueue q, long ticket) {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (q.completed() < ticket) {
            assertThat(System.nanoTime()).as("20 s have passed").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }
}
