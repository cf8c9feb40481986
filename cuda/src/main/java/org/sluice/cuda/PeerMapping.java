package org.sluice.cuda;

import org.sluice.spi.GpuException;

/** Allocations of a peer, in one range of this process's addresses. The GPU is current where its methods are called. */
sealed interface PeerMapping extends AutoCloseable permits LegacyMapping, OwnMapping, VmmMapping {
    /** Makes the exception for a call that failed. */
    interface Failure {
        GpuException of(String call, int result);
    }

    /** That it is mapped in: this GPU's, or that of another one that it cannot reach. */
    CudaContext context();

    long address();

    /** As the driver says it, not the peer. */
    long bytes();

    @Override
    void close();
}
