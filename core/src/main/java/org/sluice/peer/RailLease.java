package org.sluice.peer;

import java.util.concurrent.atomic.AtomicBoolean;

/** A link's hold on what is known of the rails to a server: they are looked after while somebody holds them. Any thread. */
final class RailLease {
    private final PeerRails rails;
    private final AtomicBoolean released = new AtomicBoolean();
    private final Runnable undo = this::release;

    RailLease(PeerRails rails) {
        this.rails = rails;
    }

    PeerRails rails() {
        return rails;
    }

    /** Releases it: always the same object. */
    Runnable undo() {
        return undo;
    }

    /** Idempotent. */
    void release() {
        if (released.compareAndSet(false, true)) {
            rails.release();
        }
    }
}
