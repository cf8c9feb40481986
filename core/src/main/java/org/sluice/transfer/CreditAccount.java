package org.sluice.transfer;

import org.sluice.ProtocolException;
import org.sluice.Where;

/**
 * What a peer lets this side say of one kind, in number and in bytes. Credit is taken when something is posted, before it goes out;
 * the peer gives more as its program takes what came. Totals are counted since the link began, so that a word that is heard twice
 * does no harm. Belongs to the agent.
 */
public final class CreditAccount {
    /** What one costs besides its bytes: something that is empty takes memory too. */
    public static final int OVERHEAD = 64;

    private final Where where;
    private long givenCount;
    private long givenBytes;
    private long takenCount;
    private long takenBytes;

    /** @param where the link, as messages name it */
    public CreditAccount(Where where) {
        this.where = where;
    }

    /** Whether the peer has said yet what it gives. */
    public boolean isOpen() {
        return givenCount > 0;
    }

    /** Takes credit for one of so many bytes. @return false when there is not enough: it may not be said now */
    public boolean take(int bytes) {
        if (takenCount == givenCount || givenBytes - takenBytes < bytes + OVERHEAD) {
            return false;
        }
        takenCount++;
        takenBytes += bytes + OVERHEAD;
        return true;
    }

    /** The peer's word. @throws ProtocolException when it takes back what it gave */
    public void raise(long totalCount, long totalBytes) {
        if (totalCount < givenCount || totalBytes < givenBytes) {
            throw new ProtocolException(
                    where,
                    "the peer lowered its credit from " + givenCount + " (" + givenBytes + " bytes) to " + totalCount
                            + " (" + totalBytes + " bytes)");
        }
        givenCount = totalCount;
        givenBytes = totalBytes;
    }
}
