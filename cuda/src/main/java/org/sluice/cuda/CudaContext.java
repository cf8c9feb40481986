package org.sluice.cuda;

import org.sluice.spi.GpuException;

/**
 * The primary context of a device, shared with every other CUDA user of the process (JCuda, PyTorch): their pointers are good
 * here. Any thread may use it after {@link #bind}.
 */
final class CudaContext implements AutoCloseable {
    private final CudaDriver driver;
    private final int device;
    private final String where;
    private final long handle;
    private volatile boolean open = true;

    CudaContext(CudaDriver driver, int ordinal) {
        this.driver = driver;
        this.where = "GPU " + ordinal;
        this.device = driver.device(ordinal, where);
        this.handle = driver.retainPrimaryContext(device, where);
    }

    CudaDriver driver() {
        return driver;
    }

    int device() {
        return device;
    }

    long handle() {
        return handle;
    }

    /** The GPU, as messages name it. */
    String where() {
        return where;
    }

    boolean isOpen() {
        return open;
    }

    /** Makes it current on the calling thread; about 0.1 us when it is already. */
    void bind() {
        driver.setCurrent(handle, where);
    }

    void check(int result, String call) {
        driver.check(result, call, where);
    }

    GpuException failure(String call, int result) {
        return driver.failure(call, result, where);
    }

    /** Lets this context's copies and kernels reach memory of another device. @return false where the hardware cannot */
    boolean reach(int peerOrdinal) {
        int peer = driver.device(peerOrdinal, where);
        if (!driver.canAccessPeer(device, peer, where)) {
            return false;
        }
        // whoever allocated memory there holds the peer's context; without a holder there is nothing to reach
        long peerContext = driver.retainPrimaryContext(peer, where);
        try {
            driver.enablePeerAccess(peerContext, where);
        } finally {
            driver.releasePrimaryContext(peer, where);
        }
        return true;
    }

    /** Lets go of the context: with the last user of the process, its memory goes too. Idempotent. */
    @Override
    public synchronized void close() {
        if (open) {
            open = false;
            driver.releasePrimaryContext(device, where);
        }
    }
}
