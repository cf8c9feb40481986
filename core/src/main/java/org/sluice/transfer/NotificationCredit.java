package org.sluice.transfer;

import org.sluice.ProtocolException;
import org.sluice.Where;

/**
 * What notifications may take at the side that is to be told, in sum: credit is taken when a transfer that carries one is announced, and
 * comes back when the program there has taken it. Both sides count alike. Belongs to the agent.
 */
final class NotificationCredit {
    static final long MOST = 1 << 20;

    /** What each counts besides its bytes. */
    private static final int OVERHEAD = 64;

    private final Where where;
    private long left = MOST;
    private long held;

    NotificationCredit(Where where) {
        this.where = where;
    }

    static int cost(byte[] notification) {
        return OVERHEAD + notification.length;
    }

    boolean covers(byte[] notification) {
        return cost(notification) <= left;
    }

    void spend(byte[] notification) {
        left -= cost(notification);
    }

    /** The peer gives credit back. */
    void back(long cost) {
        if (cost < 0 || cost > MOST - left) {
            throw new ProtocolException(
                    where, "the peer gave back " + cost + " bytes of credit, out were " + (MOST - left));
        }
        left += cost;
    }

    /** The peer sent one. */
    void hold(byte[] notification) {
        held += cost(notification);
        if (held > MOST) {
            throw new ProtocolException(
                    where, "the peer's notifications take more than the " + MOST + " bytes it has credit for");
        }
    }

    /** One of the peer's is not kept here any more. */
    void release(long cost) {
        held -= cost;
    }
}
