package org.sluice.host;

import org.sluice.contract.PieceQueueContract;
import org.sluice.spi.Gpu;

final class HostPieceQueueTest extends PieceQueueContract {
    @Override
    protected Gpu openGpu() {
        return new HostGpuBackend().open(0);
    }
}
