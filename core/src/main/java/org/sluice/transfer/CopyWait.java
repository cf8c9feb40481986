package org.sluice.transfer;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.sluice.spi.GpuException;

/**
 * Waits for copies under way when a channel is given up. They are short, and until they are done the memory at both their ends
 * can be neither filled by another channel nor freed.
 */
final class CopyWait {
    /** A copy of a chunk takes microseconds: this is not a slow one but a GPU that is gone. */
    private static final long MOST_SECONDS = 5;

    private CopyWait() {}

    /** Waits until a queue has room again. @throws GpuException when that takes too long */
    static void awaitRoom(BooleanSupplier hasRoom) {
        await(1, () -> hasRoom.getAsBoolean() ? 1 : 0);
    }

    /** @param completed the queue's highest ticket that is done @throws GpuException when that takes too long */
    static void await(long ticket, LongSupplier completed) {
        long start = System.nanoTime();
        while (completed.getAsLong() < ticket) {
            if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(MOST_SECONDS)) {
                throw new GpuException(
                        "the GPU has not finished the copies of a channel within " + MOST_SECONDS
                                + " s; is it hung? (its driver's log tells)",
                        0);
            }
            Thread.onSpinWait();
        }
    }
}
