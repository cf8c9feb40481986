package org.sluice.transfer;

import org.jspecify.annotations.Nullable;

/** A send of the peer's that waits for its receive. */
final class Announced {
    final Announcement announcement;
    final byte @Nullable [] notification;
    /** The bytes themselves, where they came with the announcement. */
    final byte @Nullable [] bytes;

    /** Where its bytes can be pulled from; null where they come in chunks, or are here. */
    final @Nullable PullSource source;

    Announced(
            Announcement announcement,
            byte @Nullable [] notification,
            byte @Nullable [] bytes,
            @Nullable PullSource source) {
        this.announcement = announcement;
        this.notification = notification;
        this.bytes = bytes;
        this.source = source;
    }
}
