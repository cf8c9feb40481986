package org.sluice.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeAll;

/** The contract on the machine's own GPU 0, where there is one. */
class RealGpuTest extends GpuContract {
    /** Not what the environment names: that is the fake in these tests. */
    private static final CudaLibrary REAL = CudaLibrary.find("libcuda.so.1");

    @BeforeAll
    static void onlyWithAGpu() {
        assumeTrue(
                REAL.availability().usable(),
                () -> "no real GPU: " + REAL.availability().reason());
    }

    @Override
    CudaLibrary library() {
        return REAL;
    }
}
