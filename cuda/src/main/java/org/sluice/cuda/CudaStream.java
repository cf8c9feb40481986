package org.sluice.cuda;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.sluice.spi.GpuException;

/** A stream that waits for no other. Belongs to one thread at a time, with the GPU current on it. */
final class CudaStream implements AutoCloseable {
    /** The longest any wait for a GPU takes: beyond it, the GPU hangs or a kernel does not end. */
    static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** Most waits are for microseconds; those that are not may cost a sleep. */
    private static final long SPIN_NANOS = 200_000;

    final long handle;
    private final CudaContext context;

    CudaStream(CudaContext context) {
        this.context = context;
        this.handle = context.driver().streamCreate(context.where());
    }

    /** Waits until all that was put into the stream is done. @param what was put there, for the message */
    void await(String what) {
        long start = System.nanoTime();
        while (true) {
            int result = context.driver().streamQuery(handle);
            if (result == CudaDriver.SUCCESS) {
                return;
            }
            if (result != CudaDriver.NOT_READY) {
                throw context.failure(what, result);
            }
            long waited = System.nanoTime() - start;
            if (waited > DEADLINE_NANOS) {
                throw new GpuException(
                        context.where() + ": " + what + " is not done after "
                                + TimeUnit.NANOSECONDS.toSeconds(DEADLINE_NANOS) + " s; the GPU hangs, see nvidia-smi",
                        result);
            }
            if (waited < SPIN_NANOS) {
                Thread.onSpinWait();
            } else {
                LockSupport.parkNanos(20_000);
            }
        }
    }

    @Override
    public void close() {
        context.driver().streamDestroy(handle, context.where());
    }
}
