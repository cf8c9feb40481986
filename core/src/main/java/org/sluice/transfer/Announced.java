package org.sluice.transfer;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A send of the peer's that waits for its receive. */
final class Announced {
    final Announcement announcement;
    final byte @Nullable [] notification;
    /** The bytes themselves, where they came with the announcement. */
    @Nullable MemorySegment bytes;

    /** Where its bytes can be pulled from; null where they come in chunks, or are here. */
    final @Nullable PullSource source;

    Announced(
            Announcement announcement,
            byte @Nullable [] notification,
            @Nullable MemorySegment bytes,
            @Nullable PullSource source) {
        this.announcement = announcement;
        this.notification = notification;
        this.bytes = bytes;
        this.source = source;
    }

    /** No receive waits for it: the memory that its bytes came in is to be used for something else meanwhile. */
    void keep() {
        bytes = SmallBytes.kept(bytes);
    }
}
