package org.sluice.daemon;

import java.util.concurrent.TimeUnit;

/** How fast the node has moved what it was dealt lately. Guarded by the dealer's lock. */
final class DealtRate {
    private static final long WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(4);

    private long windowSince = System.nanoTime();
    private long windowBytes;
    private double bytesPerNano;

    void moved(long bytes, long now) {
        windowBytes += bytes;
        long lasted = now - windowSince;
        if (lasted >= WINDOW_NANOS) {
            bytesPerNano = (bytesPerNano + (double) windowBytes / lasted) / 2;
            windowBytes = 0;
            windowSince = now;
        }
    }

    /** Bytes in so long. */
    long in(long nanos) {
        return (long) (bytesPerNano * nanos);
    }
}
