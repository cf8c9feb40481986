package org.sluice.transfer;

import java.util.concurrent.atomic.AtomicLong;
import org.sluice.ProtocolException;
import org.sluice.Where;

/**
 * What this side lets its peer say of one kind: the bound of what can lie here for a program that does not read. It comes back as the
 * program takes what came, and is told in quarters. The agent counts what comes and tells; any thread takes.
 */
public final class CreditGiver {
    private final Where where;
    private final String what;
    private final long mostCount;
    private final long mostBytes;
    private long cameCount;
    private long cameBytes;
    private long toldCount;
    private long toldBytes;
    private final AtomicLong doneCount = new AtomicLong();
    private final AtomicLong doneBytes = new AtomicLong();

    /**
     * @param what in the plural, for messages
     * @param mostCount how many may lie here
     * @param mostBytes their bytes, with {@link CreditAccount#OVERHEAD} for each
     */
    public CreditGiver(Where where, String what, long mostCount, long mostBytes) {
        this.where = where;
        this.what = what;
        this.mostCount = mostCount;
        this.mostBytes = mostBytes;
    }

    /** One came. @throws ProtocolException when the peer has no credit for it */
    public void came(int bytes) {
        cameCount++;
        cameBytes += bytes + CreditAccount.OVERHEAD;
        if (cameCount > toldCount || cameBytes > toldBytes) {
            throw new ProtocolException(
                    where,
                    "the peer sent more " + what + " than it has credit for: " + cameCount + " (" + cameBytes
                            + " bytes) where " + toldCount + " (" + toldBytes + " bytes) were given");
        }
    }

    /** One is not kept here any more. Any thread. @return whether so much has come back that the agent is to tell */
    public boolean done(int bytes) {
        long count = doneCount.incrementAndGet();
        long sum = doneBytes.addAndGet(bytes + CreditAccount.OVERHEAD);
        // the first to cross a quarter's line says so; the bytes of one step may cross several
        return count % Math.max(1, mostCount / 4) == 0
                || sum / (mostBytes / 4) != (sum - bytes - CreditAccount.OVERHEAD) / (mostBytes / 4);
    }

    /** What the peer may have said in all; from now on it is held to it. */
    public long tellCount() {
        toldCount = doneCount.get() + mostCount;
        return toldCount;
    }

    /** As {@link #tellCount}, in bytes. */
    public long tellBytes() {
        toldBytes = doneBytes.get() + mostBytes;
        return toldBytes;
    }
}
