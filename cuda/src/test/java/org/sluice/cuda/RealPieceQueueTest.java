package org.sluice.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeAll;
import org.sluice.contract.PieceQueueContract;
import org.sluice.spi.Gpu;

/** The contract on the machine's own GPU 0, where there is one. */
final class RealPieceQueueTest extends PieceQueueContract {
    /** Not what the environment names: that is the fake in these tests. */
    private static final CudaLibrary REAL = CudaLibrary.find("libcuda.so.1");

    @BeforeAll
    static void onlyWithAGpu() {
        assumeTrue(
                REAL.availability().usable(),
                () -> "no real GPU: " + REAL.availability().reason());
    }

    @Override
    protected Gpu openGpu() {
        return new CudaBackend(REAL).open(0);
    }
}
