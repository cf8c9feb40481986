package org.sluice.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.contract.SharingProcess;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PeerMemory;
import org.sluice.spi.SharedPart;
import org.sluice.testkit.CProgram;
import org.sluice.testkit.FakeCuda;

/** The contract on the fake driver, and what only a fake can do: count what stays open, fail on demand. */
final class FakeSharingTest extends CudaSharingContract {
    @TempDir
    static Path folder;

    private static FakeCuda fake;

    @BeforeAll
    static void build() throws IOException {
        assumeTrue(CProgram.canBuild(), "no gcc to build the fake driver with");
        fake = FakeCuda.load(folder);
    }

    @BeforeEach
    void lag() {
        fake.set("FAKE_CUDA_DELAY_US", 20);
        fake.set("FAKE_CUDA_NO_PEER", 0);
        fake.set("FAKE_CUDA_NO_IPC", 0);
    }

    @Override
    String library() {
        return fake.library().toString();
    }

    @Override
    protected void afterClose() {
        assertThat(fake.breach()).isEmpty();
        assertThat(fake.live()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @DisplayName(
            "memory of another GPU is moved over NVLink or PCIe where the hardware can, else through pinned memory")
    void otherGpu(boolean reaches) {
        fake.set("FAKE_CUDA_NO_PEER", reaches ? 0 : 1);
        try (SharingProcess peer = peerOn(1, BYTES, 0);
                PeerMemory theirs = sharing().peer("the peer");
                GpuMemory mine = gpu().allocate(BYTES);
                CopyQueue queue = sharing().copyQueue(4);
                GpuMemory block = theirs.open(peer.parts())) {
            expect(queue, block, mine, 1);
            lists(peer, block, 5000);
            gpu().fill(mine, 0, BYTES, 7);
            await(queue, queue.enqueue(block.address(), mine.address(), BYTES));
            assertThat(peer.mismatch(7)).isEqualTo(-1);
            assertThat(fake.count("contexts")).isEqualTo(reaches ? 1 : 2);
        }
    }

    @Test
    @DisplayName("memory of a GPU that this process neither reaches nor sees is refused by name")
    void hiddenGpu() {
        try (SharingProcess peer = peerOn(1, BYTES, 0);
                PeerMemory theirs = sharing().peer("the peer")) {
            fake.set("FAKE_CUDA_FAIL", "cuIpcOpenMemHandle_v2:217");
            SharedPart part = peer.parts().getFirst();
            byte[] handle = part.handle().clone();
            handle[handle.length - 1] = 99; // a device that is not here
            SharedPart hidden = new SharedPart(
                    part.kind(), part.allocation(), part.allocationBytes(), part.offset(), part.bytes(), handle, -1);
            assertThatThrownBy(() -> theirs.open(List.of(hidden)))
                    .isInstanceOf(GpuException.class)
                    .hasMessageContaining("the two GPUs cannot reach each other's memory");
        }
    }

    @Test
    @DisplayName("memory of a pool without handles is refused, with the allocators that have them")
    void pool() {
        fake.set("FAKE_CUDA_NO_IPC", 1);
        try (GpuMemory mine = gpu().allocate(BYTES)) {
            assertThatThrownBy(() -> sharing().export(mine))
                    .isInstanceOf(GpuException.class)
                    .hasMessageContaining("GPU 0: memory at 0x")
                    .hasMessageContaining("cudaMallocAsync")
                    .hasMessageContaining("backend:native");
        }
    }

    @Test
    @DisplayName("whatever call fails while a block is opened, nothing stays open and the next try works")
    void everyFailure() {
        for (String call : new String[] {
            "cuIpcOpenMemHandle_v2",
        }) {
            try (SharingProcess peer = peer(BYTES, 0);
                    PeerMemory theirs = sharing().peer("the peer")) {
                failsOnce(call, peer, theirs);
            }
        }
        for (String call : new String[] {
            "cuMemAddressReserve",
            "cuMemImportFromShareableHandle",
            "cuMemImportFromShareableHandle:2:2",
            "cuMemMap",
            "cuMemMap:2:3",
            "cuMemSetAccess"
        }) {
            try (SharingProcess peer = SharingProcess.start(
                            VmmSharingChild.class, Map.of("SLUICE_CUDA_LIBRARY", library()), library(), 0);
                    PeerMemory theirs = sharing().peer("the peer")) {
                failsOnce(call, peer, theirs);
            }
        }
    }

    private static void failsOnce(String call, SharingProcess peer, PeerMemory theirs) {
        fake.set("FAKE_CUDA_FAIL", call.contains(":") ? call : call + ":2");
        assertThatThrownBy(() -> theirs.open(peer.parts()))
                .as(call)
                .isInstanceOf(GpuException.class)
                .hasMessageContaining("CUDA_ERROR_OUT_OF_MEMORY");
        assertThat(theirs.opened()).isZero();
        assertThat(fake.live()).doesNotContainKeys("imports", "reservations", "vmm_handles");
        try (GpuMemory block = theirs.open(peer.parts())) {
            assertThat(block.size()).isPositive();
        }
    }
}
