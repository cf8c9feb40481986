package org.sluice.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeAll;

/** The contract on the machine's own GPU 0, where there is one. */
class RealGpuTest extends GpuContract {
    @BeforeAll
    static void onlyWithAGpu() {
        assumeTrue(
                CudaLibrary.system().availability().usable(),
                () -> "no real GPU: " + CudaLibrary.system().availability().reason());
    }

    @Override
    CudaLibrary library() {
        return CudaLibrary.system();
    }
}
