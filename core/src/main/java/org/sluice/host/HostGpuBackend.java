package org.sluice.host;

import org.sluice.spi.Availability;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;

/** Host GPUs: there are always some. */
public final class HostGpuBackend implements GpuBackend {
    /** The seed's node has 8 GPUs. */
    private static final int DEFAULT_COUNT = 8;

    /** As many as bootstrap ports that are easily found free in a row. */
    private static final int MOST = 64;

    @Override
    public String name() {
        return "host";
    }

    @Override
    public int preference() {
        return 0;
    }

    @Override
    public Availability availability() {
        return Availability.yes("plain memory in the place of GPU memory");
    }

    @Override
    public int count() {
        return MOST;
    }

    @Override
    public int defaultCount() {
        return DEFAULT_COUNT;
    }

    @Override
    public Gpu open(int id) {
        return new HostGpu(id);
    }
}
