package org.sluice.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sluice.spi.GpuBackend;
import org.sluice.testkit.CProgram;
import org.sluice.testkit.FakeCuda;

/** Why CUDA cannot be used is one clear sentence. */
class CudaAvailabilityTest {
    @TempDir
    Path folder;

    @Test
    void withoutALibrary() {
        CudaBackend backend = new CudaBackend(CudaLibrary.find("libno-such-cuda.so.1"));
        assertThat(backend.availability().usable()).isFalse();
        assertThat(backend.availability().reason())
                .isEqualTo("there is no CUDA driver: the dynamic linker finds no libno-such-cuda.so.1;"
                        + " install the NVIDIA driver, or in a container pass the GPUs in (--gpus all)");
        assertThat(backend.count()).isZero();
        assertThatThrownBy(() -> backend.open(0)).hasMessageContaining("there is no CUDA driver");
    }

    @Test
    void withALibraryThatIsNone() throws IOException {
        Path text = Files.writeString(folder.resolve("libtext.so"), "no library");
        assertThat(CudaLibrary.find(text.toString()).availability().reason()).contains("there is no CUDA driver");
    }

    @Test
    void withoutADevice() throws IOException {
        assertThat(found(fake().set("FAKE_CUDA_DEVICES", 0))).contains("sees no GPU");
    }

    @Test
    void withAnOldDriver() throws IOException {
        assertThat(found(fake().set("FAKE_CUDA_DRIVER", 10020)))
                .isEqualTo("the CUDA driver serves CUDA 10.2, Sluice needs 11.0 (driver 450) or newer;"
                        + " update the NVIDIA driver");
    }

    @Test
    void withADriverThatDoesNotStart() throws IOException {
        assertThat(found(fake().set("FAKE_CUDA_FAIL", "cuInit:999")))
                .isEqualTo("the CUDA driver does not start: cuInit failed: CUDA_ERROR_UNKNOWN"
                        + " (999, as the fake driver says it)");
        assertThat(found(fake().set("FAKE_CUDA_FAIL", "cuDeviceGetCount:999"))).contains("cuDeviceGetCount failed");
    }

    @Test
    void withGpus() throws IOException {
        CudaBackend backend = new CudaBackend(
                CudaLibrary.find(fake().set("FAKE_CUDA_DEVICES", 3).library().toString()));
        assertThat(backend.availability().usable()).isTrue();
        assertThat(backend.availability().reason()).isEqualTo("3 GPUs, driver for CUDA 13.0");
        assertThat(backend.count()).isEqualTo(3);
        assertThat(backend.defaultCount()).isEqualTo(3);
        assertThatThrownBy(() -> backend.open(3)).hasMessage("there is no GPU 3, this machine has 3");
    }

    @Test
    void isFoundAsAService() {
        CudaAvailabilityTest.class.getModule().addUses(GpuBackend.class);
        assertThat(ServiceLoader.load(GpuBackend.class).stream()
                        .map(p -> p.type().getSimpleName()))
                .contains("CudaBackend", "HostGpuBackend");
    }

    private FakeCuda fake() throws IOException {
        assumeTrue(CProgram.canBuild(), "no gcc to build the fake driver with");
        return FakeCuda.load(Files.createTempDirectory(folder, "fake"));
    }

    private static String found(FakeCuda fake) {
        CudaLibrary library = CudaLibrary.find(fake.library().toString());
        assertThat(library.availability().usable()).isFalse();
        return library.availability().reason();
    }
}
