package org.sluice.cuda;

import org.sluice.spi.Availability;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuException;

/** NVIDIA GPUs, through the driver that is found at run time. */
public final class CudaBackend implements GpuBackend {
    private final CudaLibrary library;

    /** For {@link java.util.ServiceLoader}: the machine's driver, or the one that {@code SLUICE_CUDA_LIBRARY} names. */
    public CudaBackend() {
        this(CudaLibrary.system());
    }

    CudaBackend(CudaLibrary library) {
        this.library = library;
    }

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public int preference() {
        return 100;
    }

    @Override
    public Availability availability() {
        return library.availability();
    }

    @Override
    public int count() {
        return library.devices();
    }

    @Override
    public Gpu open(int id) {
        CudaDriver driver = library.driver();
        if (driver == null) {
            throw new GpuException(library.availability().reason(), CudaDriver.NO_DEVICE);
        }
        if (id < 0 || id >= count()) {
            throw new GpuException("there is no GPU " + id + ", this machine has " + count(), 0);
        }
        return new CudaGpu(driver, id);
    }
}
