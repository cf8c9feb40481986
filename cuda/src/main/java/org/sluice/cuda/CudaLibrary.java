package org.sluice.cuda;

import org.jspecify.annotations.Nullable;
import org.sluice.spi.Availability;

/**
 * What was found when CUDA was looked for, once per library and process.
 *
 * @param driver the driver, initialized; null where it cannot be used
 * @param devices how many GPUs it has
 */
record CudaLibrary(Availability availability, @Nullable CudaDriver driver, int devices) {
    /** Path or name of another driver library; for tests and for drivers in unusual places. */
    static final String VARIABLE = "SLUICE_CUDA_LIBRARY";

    private static final String NAME = "libcuda.so.1";

    /** CUDA 11.0: the oldest whose driver compiles the kernels' PTX (ISA 7.0), and the first for A100. */
    private static final int OLDEST_VERSION = 11000;

    /** The machine's own, or what the environment names. */
    static CudaLibrary system() {
        return Holder.SYSTEM;
    }

    private static final class Holder {
        static final CudaLibrary SYSTEM = find(System.getenv().getOrDefault(VARIABLE, NAME));
    }

    /** Loads and initializes. Never throws: the answer says why not. */
    static CudaLibrary find(String library) {
        try {
            CudaDriver driver = CudaDriver.load(library);
            int devices = initialize(driver);
            int version = driver.version();
            return new CudaLibrary(
                    Availability.yes(
                            devices + (devices == 1 ? " GPU, " : " GPUs, ") + "driver for CUDA " + text(version)),
                    driver,
                    devices);
        } catch (CudaUnavailableException e) {
            return new CudaLibrary(Availability.no(String.valueOf(e.getMessage())), null, 0);
        } catch (RuntimeException e) {
            return new CudaLibrary(Availability.no("the CUDA driver does not work: " + e.getMessage()), null, 0);
        }
    }

    private static int initialize(CudaDriver driver) throws CudaUnavailableException {
        int result = driver.init();
        if (result == CudaDriver.NO_DEVICE) {
            throw new CudaUnavailableException(
                    "the CUDA driver is there but sees no GPU: is one in this machine, is CUDA_VISIBLE_DEVICES empty,"
                            + " and may this user open /dev/nvidia*?",
                    null);
        }
        if (result != CudaDriver.SUCCESS) {
            throw new CudaUnavailableException(
                    "the CUDA driver does not start: cuInit failed: " + driver.describe(result), null);
        }
        int version = driver.version();
        if (version < OLDEST_VERSION) {
            throw new CudaUnavailableException(
                    "the CUDA driver serves CUDA " + text(version) + ", Sluice needs " + text(OLDEST_VERSION)
                            + " (driver 450) or newer; update the NVIDIA driver",
                    null);
        }
        int devices = driver.deviceCount();
        if (devices == 0) {
            throw new CudaUnavailableException("the CUDA driver is there but has no GPU", null);
        }
        return devices;
    }

    private static String text(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }
}
