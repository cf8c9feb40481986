package org.sluice.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.contract.SharingChild;
import org.sluice.contract.SharingContract;
import org.sluice.contract.SharingProcess;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PeerMemory;
import org.sluice.spi.SharedPart;

/** Sharing with CUDA's handles, on the fake driver and on a real one. */
abstract class CudaSharingContract extends SharingContract {
    /** The driver's name or path. */
    abstract String library();

    @Override
    protected final Gpu openGpu() {
        return new CudaBackend(CudaLibrary.find(library())).open(0);
    }

    final SharingProcess peerOn(int device, long bytes, long offset) {
        return SharingProcess.start(
                SharingChild.class, Map.of("SLUICE_CUDA_LIBRARY", library()), "cuda", device, bytes, offset);
    }

    @Override
    protected final SharingProcess peer(long bytes, long offset) {
        return peerOn(0, bytes, offset);
    }

    @Test
    @DisplayName("a range inside an allocation is shared by the allocation's handle and its offset")
    void offset() {
        try (SharingProcess peer = peer(BYTES + 1000, 1000);
                PeerMemory theirs = sharing().peer("peer");
                GpuMemory block = theirs.open(peer.parts());
                GpuMemory mine = gpu().allocate(BYTES);
                CopyQueue queue = sharing().copyQueue(4)) {
            assertThat(peer.parts()).singleElement().satisfies(p -> {
                assertThat(p.kind()).isEqualTo(SharedPart.Kind.CUDA_IPC);
                assertThat(p.offset()).isGreaterThanOrEqualTo(1000);
                assertThat(p.bytes()).isEqualTo(BYTES);
            });
            expect(queue, block, mine, 1);
        }
    }

    @Test
    @DisplayName("a block over several VMM allocations is one range on the other side too")
    void virtualMemory() {
        long bytes = 3 * VmmAllocation.SEGMENT - (1 << 20);
        try (SharingProcess peer = SharingProcess.start(
                        VmmSharingChild.class, Map.of("SLUICE_CUDA_LIBRARY", library()), library(), 0);
                PeerMemory theirs = sharing().peer("peer");
                GpuMemory block = theirs.open(peer.parts());
                GpuMemory again = theirs.open(peer.parts());
                GpuMemory mine = gpu().allocate(bytes);
                CopyQueue queue = sharing().copyQueue(4)) {
            assertThat(peer.parts()).hasSize(3).allMatch(p -> p.kind() == SharedPart.Kind.CUDA_VMM);
            assertThat(block.size()).isEqualTo(bytes);
            assertThat(again.address()).isEqualTo(block.address());
            assertThat(theirs.opened()).isEqualTo(1);
            expect(queue, block, mine, 1);
            peer.fill(5);
            expect(queue, block, mine, 5);
            List<SharedPart> wrongOrder = peer.parts().reversed();
            assertThatThrownBy(() -> theirs.open(wrongOrder)).hasMessageContaining("make no range");
            peer.kill();
            expect(queue, block, mine, 5);
        }
    }

    @Test
    @DisplayName("what a process shares itself it has where it lies, while it has it, and nobody else's for it")
    void own() {
        try (GpuMemory mine = sharing().allocate(BYTES);
                PeerMemory theirs = sharing().peer("the peer")) {
            List<SharedPart> parts = sharing().export(mine);
            try (GpuMemory block = theirs.open(parts)) {
                assertThat(block.address()).isEqualTo(mine.address());
                assertThat(block.size()).isEqualTo(mine.size());
                assertThat(theirs.opened()).isEqualTo(1);
            }
            byte[] byteOfIt = new byte[1];
            gpu().read(mine, 0, MemorySegment.ofArray(byteOfIt));
            // as a container with the same process number would say: the driver takes it for this process's own
            SharedPart p = parts.getFirst();
            SharedPart other = new SharedPart(
                    p.kind(), p.allocation() + 1, p.allocationBytes(), p.offset(), p.bytes(), p.handle(), -1);
            assertThatThrownBy(() -> theirs.open(List.of(other)))
                    .isInstanceOf(GpuException.class)
                    .hasMessageContaining("GPU 0: memory of the peer cannot be opened: cuIpcOpenMemHandle failed");
        }
    }

    @Test
    @DisplayName("what a process has shared and freed is not opened")
    void freed() {
        List<SharedPart> parts;
        try (GpuMemory mine = sharing().allocate(BYTES)) {
            parts = sharing().export(mine);
        }
        try (PeerMemory theirs = sharing().peer("the peer")) {
            assertThatThrownBy(() -> theirs.open(parts)).isInstanceOf(GpuException.class);
        }
    }

    @Test
    @DisplayName("host memory is not the GPU's to share")
    void pinned() {
        try (GpuMemory pinned = gpu().allocatePinned(4096)) {
            assertThatThrownBy(() -> sharing().export(pinned)).hasMessageContaining("GPU 0");
        }
    }
}
