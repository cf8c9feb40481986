package org.sluice.transfer;

import org.jspecify.annotations.Nullable;
import org.sluice.CancelledException;
import org.sluice.DeadlineException;
import org.sluice.RemoteAccessException;
import org.sluice.SluiceException;
import org.sluice.TransferRefusal;
import org.sluice.Where;

/** Why a transfer ends before its last byte has landed, on a link that lives on. The code goes over the wire. */
public enum EndReason {
    /** It does not. */
    NONE(0),
    /** A program cancelled it. */
    CANCELLED(1),
    /** Its deadline passed. */
    DEADLINE(2),
    /** The owner withdrew the memory. */
    WITHDRAWN(3);

    private final int code;

    EndReason(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /** The reason with this code; null where there is none. */
    public static @Nullable EndReason of(int code) {
        for (EndReason r : values()) {
            if (r.code == code && r != NONE) {
                return r;
            }
        }
        return null;
    }

    /** @param what the transfer, as messages name it @param byPeer whether the peer decided */
    SluiceException exception(Where where, String what, boolean byPeer) {
        String who = byPeer ? "the peer" : "this side";
        return switch (this) {
            case DEADLINE ->
                new DeadlineException(where, what + " had not ended at its deadline, which " + who + " had set");
            case WITHDRAWN -> new RemoteAccessException(where, what, TransferRefusal.WITHDRAWN);
            case CANCELLED, NONE -> new CancelledException(where, what + " was cancelled by " + who);
        };
    }
}
