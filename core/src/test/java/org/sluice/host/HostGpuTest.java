package org.sluice.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.UnpackMode;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;
import org.sluice.spi.UnpackQueue;

final class HostGpuTest {
    private static final long HUGE = 2 << 20;

    private final Gpu gpu = new HostGpuBackend().open(3);

    @ParameterizedTest
    @ValueSource(longs = {1, 4095, 4096, HUGE - 1, HUGE, HUGE + 1, 3 * HUGE + 5})
    @DisplayName("a block begins on a page, on a huge one where it has the room, and all of it can be used")
    void blocks(long bytes) {
        try (GpuMemory block = gpu.allocate(bytes)) {
            assertThat(block.size()).isEqualTo(bytes);
            assertThat(block.kind()).isEqualTo(MemoryKind.HOST);
            assertThat(block.exportDmabuf()).isEqualTo(OptionalInt.empty());
            assertThat(block.address() % (bytes < HUGE ? 4096 : HUGE)).isZero();
            gpu.fill(block, 0, bytes, 5);
            assertThat(gpu.mismatch(block, 0, bytes, 5)).isEqualTo(-1);
            MemorySegment all = block.host().orElseThrow();
            assertThat(all.byteSize()).isEqualTo(bytes);
            all.set(ValueLayout.JAVA_BYTE, bytes - 1, (byte) ~all.get(ValueLayout.JAVA_BYTE, bytes - 1));
            assertThat(gpu.mismatch(block, 0, bytes, 5)).isEqualTo(bytes - 1);
        }
    }

    @Test
    @DisplayName("more than the address space has is refused with the size and the reason")
    void tooMuch() {
        assertThatThrownBy(() -> gpu.allocate(1L << 60))
                .isInstanceOf(GpuException.class)
                .hasMessageContaining(String.valueOf((1L << 60) + HUGE))
                .hasMessageContaining("errno 12");
    }

    @Test
    @DisplayName("memory of others is used as it is and stays theirs")
    void adopted() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment theirs = arena.allocate(100);
            GpuMemory block = gpu.adopt(theirs.address() + 3, 50);
            gpu.write(block, 1, MemorySegment.ofArray(new byte[] {7, 8}));
            assertThat(theirs.get(ValueLayout.JAVA_BYTE, 4)).isEqualTo((byte) 7);
            block.close();
            block.close();
            assertThat(theirs.get(ValueLayout.JAVA_BYTE, 5)).isEqualTo((byte) 8);
        }
    }

    @Test
    @DisplayName("copies are done when they are queued, and always have room")
    void copies() {
        try (GpuMemory from = gpu.allocate(9000);
                GpuMemory to = gpu.allocatePinned(9000);
                CopyQueue queue = gpu.copyQueue(CopyQueue.Direction.TO_HOST, 1)) {
            gpu.fill(from, 0, 9000, 1);
            gpu.fill(to, 0, 9000, 2);
            assertThat(queue.completed()).isZero();
            for (int n = 1; n <= 3; n++) {
                assertThat(queue.hasRoom()).isTrue();
                assertThat(queue.enqueue(to.address(), from.address(), 3000L * n))
                        .isEqualTo(n);
                assertThat(queue.completed()).isEqualTo(n);
                assertThat(queue.enqueued()).isEqualTo(n);
                long wrong = gpu.mismatch(to, 0, 9000, 1);
                assertThat(wrong).isEqualTo(n == 3 ? -1 : 3000L * n);
            }
        }
    }

    @Test
    @DisplayName("fragments land at their places and nowhere else")
    void unpacks() throws TransportException {
        int chunk = 10_000;
        try (Arena arena = Arena.ofConfined();
                GpuMemory bounce = gpu.allocate(1 << 16);
                GpuMemory target = gpu.allocate(chunk + 16);
                UnpackQueue queue = gpu.unpackQueue(UnpackMode.KERNEL, 1)) {
            byte[] bytes = new byte[1 << 16];
            new Random(3).nextBytes(bytes);
            gpu.write(bounce, 0, MemorySegment.ofArray(bytes));
            byte[] expected = new byte[chunk + 16];
            gpu.write(target, 0, MemorySegment.ofArray(expected));
            MemorySegment descriptors = arena.allocate(4 * 16, 16);
            int[][] fragments = {{40_001, 3000, 7000}, {3, 0, 0}, {20_000, 6999, 0}, {5, 1, 6999}};
            for (int i = 0; i < fragments.length; i++) {
                int[] f = fragments[i];
                descriptors.set(ValueLayout.JAVA_INT, i * 16L, f[0]);
                descriptors.set(ValueLayout.JAVA_INT, i * 16L + 4, f[1]);
                descriptors.set(ValueLayout.JAVA_LONG, i * 16L + 8, f[2]);
                System.arraycopy(bytes, f[0], expected, 8 + f[2], f[1]);
            }
            ScatterList list = new ScatterList();
            list.set(descriptors, fragments.length, 0, bounce.address(), bounce.size());
            list.check(chunk);
            assertThat(queue.hasRoom()).isTrue();
            assertThat(queue.enqueue(list, target.address() + 8, chunk)).isEqualTo(1);
            queue.flush();
            assertThat(queue.completed()).isEqualTo(1);
            byte[] got = new byte[expected.length];
            gpu.read(target, 0, MemorySegment.ofArray(got));
            assertThat(got).isEqualTo(expected);
        }
    }
}
