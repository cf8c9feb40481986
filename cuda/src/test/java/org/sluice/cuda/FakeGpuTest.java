package org.sluice.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.UnpackMode;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.testkit.CProgram;
import org.sluice.testkit.FakeCuda;

/** The contract on the fake driver, with streams that lag behind; and what only a fake can do: fail on demand, count leaks. */
class FakeGpuTest extends GpuContract {
    @TempDir
    static Path folder;

    private static FakeCuda fake;

    @BeforeAll
    static void build() throws IOException {
        assumeTrue(CProgram.canBuild(), "no gcc to build the fake driver with");
        fake = FakeCuda.load(folder);
    }

    @Override
    CudaLibrary library() {
        return CudaLibrary.find(fake.library().toString());
    }

    @BeforeEach
    void lag() {
        fake.set("FAKE_CUDA_DELAY_US", 20);
    }

    @AfterEach
    void nothingIsLeftAndNothingWasBroken() {
        close();
        assertThat(fake.breach()).isEmpty();
        assertThat(fake.live()).isEmpty();
    }

    @Test
    void errorsNameCallResultAndGpu() {
        fake.set("FAKE_CUDA_FAIL", "cuMemAlloc_v2:2");
        assertThatThrownBy(() -> gpu().allocate(1 << 20))
                .isInstanceOf(GpuException.class)
                .hasMessage("GPU 0: cuMemAlloc of 1052672 bytes failed: CUDA_ERROR_OUT_OF_MEMORY (2, out of memory)")
                .extracting(e -> ((GpuException) e).code())
                .isEqualTo(2);
        assertThatThrownBy(() -> gpu().allocate(1L << 40)).hasMessageContaining("CUDA_ERROR_OUT_OF_MEMORY");
    }

    @Test
    void anErrorOfAsynchronousWorkIsThrownWhereItIsAskedFor() {
        try (GpuMemory device = gpu().allocate(4096);
                GpuMemory pinned = gpu().allocatePinned(4096);
                CopyQueue q = gpu().copyQueue(CopyQueue.Direction.TO_HOST, 4)) {
            q.enqueue(pinned.address(), device.address(), 4096);
            fake.set("FAKE_CUDA_FAIL", "cuEventQuery:999");
            assertThatThrownBy(q::completed)
                    .isInstanceOf(GpuException.class)
                    .hasMessageContaining("GPU 0: work on the stream (cuEventQuery) failed: CUDA_ERROR_UNKNOWN (999");
        }
    }

    @Test
    void aDeviceThatDoesNotKeepTheOrderOfRemoteWritesIsFlushed() {
        assertThat(gpu().remoteWritesNeedFlush()).isFalse();
        fake.set("FAKE_CUDA_WRITES_ORDERING", 0);
        try (Gpu other = new CudaBackend(library()).open(1)) {
            assertThat(other.remoteWritesNeedFlush()).isTrue();
            other.bindThread();
            long before = fake.count("flushes");
            other.flushRemoteWrites();
            assertThat(fake.count("flushes")).isEqualTo(before + 1);
        } finally {
            fake.set("FAKE_CUDA_WRITES_ORDERING", 100);
            gpu().bindThread();
        }
    }

    @Test
    void theLastPageOfWhatIsAllocatedHereIsItsOwn() {
        try (GpuMemory odd = gpu().allocate(100_001);
                GpuMemory adopted = gpu().adopt(odd.address(), 5000)) {
            assertThat(odd.registrable()).isEqualTo(102_400);
            assertThat(adopted.registrable()).isEqualTo(5000);
        }
    }

    @Test
    void reachesMemoryOfAPeerGpuWhereTheHardwareCan() {
        try (Gpu other = new CudaBackend(library()).open(1)) {
            other.bindThread();
            GpuMemory theirs = other.allocate(1 << 16);
            other.fill(theirs, 0, 1 << 16, 3);
            gpu().bindThread();
            fake.set("FAKE_CUDA_NO_PEER", 1);
            assertThatThrownBy(() -> gpu().adopt(theirs.address(), 1 << 16))
                    .hasMessageContaining("it is GPU 1's, which this one cannot reach");
            fake.set("FAKE_CUDA_NO_PEER", 0);
            for (int again = 0; again < 2; again++) {
                try (GpuMemory view = gpu().adopt(theirs.address(), 1 << 16)) {
                    assertThat(read(view, 0, 1 << 16)).hasSize(1 << 16);
                    assertThat(gpu().mismatch(view, 0, 1 << 16, 3)).isEqualTo(-1);
                }
            }
            theirs.close();
        }
        gpu().bindThread();
    }

    @Test
    void aFullQueueReusesItsEvents() {
        try (GpuMemory device = gpu().allocate(1 << 20);
                GpuMemory pinned = gpu().allocatePinned(1 << 20);
                CopyQueue q = gpu().copyQueue(CopyQueue.Direction.TO_HOST, 8)) {
            for (int i = 0; i < 500; i++) {
                if (q.enqueued() - q.completed() == 8) {
                    await(q, q.enqueued() - 4);
                }
                q.enqueue(pinned.address(), device.address(), 1 << 20);
            }
            assertThat(fake.count("events")).isLessThanOrEqualTo(8);
            await(q, 500);
        }
    }

    @Test
    void smallCopiesShareAnEvent() {
        try (GpuMemory device = gpu().allocate(1 << 20);
                GpuMemory pinned = gpu().allocatePinned(1 << 20);
                CopyQueue q = gpu().copyQueue(CopyQueue.Direction.TO_GPU, 64)) {
            for (int i = 0; i < 32; i++) {
                q.enqueue(device.address() + i * 64L, pinned.address() + i * 64L, 64);
            }
            await(q, 32);
            assertThat(fake.count("events")).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void manyFragmentsTakeOneLaunch(boolean pinned) {
        long before = fake.count("launches");
        ScatterCase.check(gpu(), UnpackMode.KERNEL, 1, 512 << 10, 4096, 0, 1, pinned);
        assertThat(fake.count("launches") - before).isEqualTo(1);
    }

    @Test
    void closingTheGpuFreesWhatIsOpenOnlyOnce() {
        GpuMemory m = gpu().allocate(4096);
        m.close();
        gpu().close();
        m.close();
    }
}
