package org.sluice.engine;

import org.sluice.GpuInfo;
import org.sluice.NicInfo;
import org.sluice.spi.Gpu;
import org.sluice.spi.Nic;

/** What programs see of what transports and backends give. */
final class PublicViews {
    private PublicViews() {}

    static GpuInfo of(Gpu gpu) {
        return new GpuInfo(gpu.id(), gpu.name(), gpu.pciBusId(), gpu.numaNode());
    }

    static NicInfo of(Nic nic) {
        return new NicInfo(
                nic.name(),
                nic.kernelDevice(),
                nic.addresses(),
                nic.pciPath(),
                nic.numaNode(),
                nic.bitsPerSecond(),
                nic.scatters());
    }
}
