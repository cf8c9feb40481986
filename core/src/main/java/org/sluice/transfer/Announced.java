package org.sluice.transfer;

import org.jspecify.annotations.Nullable;

/** A send of the peer's that waits for its receive. */
final class Announced {
    final Announcement announcement;
    final byte @Nullable [] notification;
    /** The bytes themselves, where they came with the announcement. */
    final byte @Nullable [] bytes;

    /** Why the peer has ended it meanwhile. */
    EndReason ending = EndReason.NONE;

    Announced(Announcement announcement, byte @Nullable [] notification, byte @Nullable [] bytes) {
        this.announcement = announcement;
        this.notification = notification;
        this.bytes = bytes;
    }
}
