package org.sluice.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.sluice.contract.SharingProcess;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.PeerMemory;

/** The contract between processes on the machine's own GPUs, where there are any. */
final class RealSharingTest extends CudaSharingContract {
    private static final String NAME = "libcuda.so.1";
    private static int gpus;

    @BeforeAll
    static void onlyWithAGpu() {
        CudaLibrary real = CudaLibrary.find(NAME);
        assumeTrue(
                real.availability().usable(),
                () -> "no real GPU: " + real.availability().reason());
        gpus = new CudaBackend(real).count();
    }

    @Override
    String library() {
        return NAME;
    }

    @Test
    @DisplayName("memory of another GPU is reached")
    void otherGpu() {
        assumeTrue(gpus > 1, "one GPU only");
        try (SharingProcess peer = peerOn(1, BYTES, 0);
                PeerMemory theirs = sharing().peer("the peer");
                GpuMemory mine = gpu().allocate(BYTES);
                CopyQueue queue = sharing().copyQueue(4);
                GpuMemory block = theirs.open(peer.parts())) {
            expect(queue, block, mine, 1);
        }
    }
}
