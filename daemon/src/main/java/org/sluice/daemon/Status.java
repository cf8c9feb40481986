package org.sluice.daemon;

import org.sluice.CancelledException;
import org.sluice.ClosedException;
import org.sluice.ConfigException;
import org.sluice.DeadlineException;
import org.sluice.LengthMismatchException;
import org.sluice.LinkException;
import org.sluice.NotDoneException;
import org.sluice.PeerLostException;
import org.sluice.ProtocolException;
import org.sluice.RemoteAccessException;

/** How a request of a client ended. The codes go over the local protocol and never change. */
enum Status {
    DONE(0),
    INVALID(1),
    NOT_FOUND(2),
    BOUNDS(3),
    REMOTE_REFUSED(4),
    LINK_LOST(5),
    CANCELLED(6),
    DEADLINE(7),
    QUOTA(8),
    IN_USE(9),
    DEAD_KEY(10),
    MEMORY_FAULT(11),
    NOT_SUPPORTED(12),
    GOING(13),
    INTERNAL(14),
    NOT_ALLOWED(15);

    private final int code;

    Status(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    /** What a failure of the library is to a client. */
    static Status of(Throwable why) {
        return switch (why) {
            case ClientException c -> c.status();
            case RemoteAccessException r -> REMOTE_REFUSED;
            case LinkException l -> LINK_LOST;
            case PeerLostException p -> LINK_LOST;
            case NotDoneException n -> DEADLINE;
            case DeadlineException d -> DEADLINE;
            case CancelledException c -> CANCELLED;
            case ProtocolException p -> LINK_LOST;
            case ClosedException c -> LINK_LOST;
            case ConfigException c -> INVALID;
            case LengthMismatchException l -> INVALID;
            case IndexOutOfBoundsException b -> BOUNDS;
            case IllegalArgumentException a -> INVALID;
            case IllegalStateException s -> NOT_FOUND;
            default -> INTERNAL;
        };
    }
}
