package org.sluice.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sluice.contract.PieceQueueContract;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PieceQueue;
import org.sluice.spi.PieceQueue.Direction;
import org.sluice.testkit.CProgram;
import org.sluice.testkit.FakeCuda;

/** The contract on the fake driver, with streams that lag behind; and what a launch carries, which only a fake counts. */
final class FakePieceQueueTest extends PieceQueueContract {
    @TempDir
    static Path folder;

    private static FakeCuda fake;

    @BeforeAll
    static void build() throws IOException {
        assumeTrue(CProgram.canBuild(), "no gcc to build the fake driver with");
        fake = FakeCuda.load(folder);
    }

    @Override
    protected Gpu openGpu() {
        fake.set("FAKE_CUDA_DELAY_US", 20);
        return new CudaBackend(CudaLibrary.find(fake.library().toString())).open(0);
    }

    @Override
    protected void afterClose() {
        assertThat(fake.breach()).isEmpty();
        assertThat(fake.live()).isEmpty();
    }

    /** One chunk of 64 bytes in four pieces. */
    private static long put(PieceQueue queue, MemorySegment list, GpuMemory from, GpuMemory to) {
        for (int i = 0; i < 4; i++) {
            list.setAtIndex(ValueLayout.JAVA_LONG, 2L * i, from.address() + i * 32L);
            list.setAtIndex(ValueLayout.JAVA_LONG, 2L * i + 1, 16);
        }
        return queue.enqueue(list.address(), 4, to.address(), 64);
    }

    @Test
    @DisplayName("many chunks share a launch, and while two are under way what is flushed waits for the next")
    void launchesAreShared() {
        try (Gpu gpu = openGpu();
                Arena arena = Arena.ofConfined()) {
            gpu.bindThread();
            MemorySegment list = arena.allocate(64, 8);
            try (GpuMemory from = gpu.allocate(4096);
                    GpuMemory to = gpu.allocatePinned(4096);
                    PieceQueue queue = gpu.pieceQueue(Direction.GATHER, 64, 256)) {
                long before = fake.count("launches");
                for (int i = 0; i < 10; i++) {
                    put(queue, list, from, to);
                }
                assertThat(fake.count("launches") - before).as("held back").isZero();
                fake.set("FAKE_CUDA_DELAY_US", 300_000); // each launch lasts, so that two are under way below
                queue.flush();
                assertThat(fake.count("launches") - before).isEqualTo(1);
                for (int i = 0; i < 20; i++) {
                    put(queue, list, from, to);
                    queue.flush();
                }
                assertThat(fake.count("launches") - before).as("two under way").isEqualTo(2);
                fake.set("FAKE_CUDA_DELAY_US", 0);
                await(queue, 30);
                assertThat(fake.count("launches") - before).isEqualTo(3);
                assertThat(fake.count("events")).isEqualTo(2);
            }
        }
    }

    @Test
    @DisplayName("an error of a launch or of its work names GPU and call, and nothing is called done after it")
    void errors() {
        try (Gpu gpu = openGpu();
                Arena arena = Arena.ofConfined()) {
            gpu.bindThread();
            MemorySegment list = arena.allocate(64, 8);
            try (GpuMemory from = gpu.allocate(4096);
                    GpuMemory to = gpu.allocatePinned(4096)) {
                for (String call : new String[] {"cuLaunchKernel", "cuEventRecord", "cuEventQuery"}) {
                    try (PieceQueue queue = gpu.pieceQueue(Direction.SCATTER, 4, 16)) {
                        put(queue, list, from, to);
                        fake.set("FAKE_CUDA_FAIL", call + ":719");
                        assertThatThrownBy(() -> {
                                    queue.flush();
                                    await(queue, 1);
                                })
                                .isInstanceOf(GpuException.class)
                                .hasMessageContaining("GPU 0: ")
                                .hasMessageContaining(call);
                        // a chunk that was not moved is never called done, nor is one behind it
                        assertThatThrownBy(queue::completed).hasMessageContaining("make a new queue");
                        assertThatThrownBy(() -> put(queue, list, from, to)).isInstanceOf(GpuException.class);
                    }
                }
            }
        }
    }

    private static void await(PieceQueue queue, long ticket) {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (queue.completed() < ticket) {
            assertThat(System.nanoTime()).as("20 s have passed").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }
}
