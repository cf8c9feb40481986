package org.sluice.spi;

/** A kind of GPU, found with {@link java.util.ServiceLoader}. */
public interface GpuBackend {
    /** {@code cuda}, {@code host}. */
    String name();

    /** Higher is preferred when the user asked for none by name: CUDA 100, host 0. */
    int preference();

    /** Looks once whether the backend works here; never throws. */
    Availability availability();

    /** How many GPUs it has; for host GPUs, the most there can be. Only when available. */
    int count();

    /** How many GPUs a node opens when the user names no number. */
    default int defaultCount() {
        return count();
    }

    /** Opens a GPU. @param id from 0 to {@link #count()} - 1 */
    Gpu open(int id);
}
