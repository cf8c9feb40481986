package org.sluice.transfer;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.sluice.ProtocolException;
import org.sluice.Where;

/** What the peer has said that belongs to the transfer which it announces next. Belongs to the agent. */
final class Along {
    private final Where where;
    private byte @Nullable [] notification;
    private @Nullable MemorySegment bytes;
    private boolean kept;

    Along(Where where) {
        this.where = where;
    }

    void notification(byte[] said) {
        if (notification != null) {
            throw new ProtocolException(where, "the peer sent two notifications for one transfer");
        }
        notification = said;
    }

    void bytes(MemorySegment said) {
        if (bytes != null) {
            throw new ProtocolException(where, "the peer sent the bytes of one transfer twice");
        }
        bytes = said;
        kept = false;
    }

    /** The memory that the bytes came in is to be used for something else. */
    void keep() {
        if (!kept) {
            bytes = SmallBytes.kept(bytes);
            kept = true;
        }
    }

    byte @Nullable [] takeNotification(Announcement a) {
        byte[] taken = notification;
        if ((taken != null) != a.has(Announcement.NOTED)) {
            throw new ProtocolException(
                    where,
                    MessageId.toString(a.id()) + " of the peer's comes "
                            + (taken == null
                                    ? "without the notification that it says"
                                    : "after a notification that it does not say"));
        }
        notification = null;
        return taken;
    }

    @Nullable MemorySegment takeBytes(Announcement a) {
        MemorySegment taken = bytes;
        if ((taken != null) != a.has(Announcement.SMALL) || (taken != null && taken.byteSize() != a.length())) {
            throw new ProtocolException(
                    where,
                    MessageId.toString(a.id()) + " of the peer's has " + a.length() + " bytes, "
                            + (taken == null ? "none" : taken.byteSize()) + " came with it");
        }
        bytes = null;
        return taken;
    }
}
