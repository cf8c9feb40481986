package org.sluice.stats;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.sluice.TransferStats;

/** How a link's transfers ended that this side's program asked for. The agent writes, anybody reads. */
public final class TransferCounters {
    private static final VarHandle DONE = field("done");
    private static final VarHandle FAILED = field("failed");
    private static final VarHandle BYTES = field("bytes");

    private final LatencyHistogram durations = new LatencyHistogram();
    private long done;
    private long failed;
    private long bytes;

    private static VarHandle field(String name) {
        try {
            return MethodHandles.lookup().findVarHandle(TransferCounters.class, name, long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Agent only. @param nanos from its beginning on both sides to its end */
    public void done(long length, long nanos) {
        BYTES.setRelease(this, bytes + length);
        durations.record(nanos);
        DONE.setRelease(this, done + 1);
    }

    /** Agent only. */
    public void failed() {
        FAILED.setRelease(this, failed + 1);
    }

    /** What has been counted until now. */
    public TransferStats snapshot() {
        return new TransferStats(
                (long) DONE.getAcquire(this),
                (long) FAILED.getAcquire(this),
                (long) BYTES.getAcquire(this),
                durations.snapshot());
    }
}
