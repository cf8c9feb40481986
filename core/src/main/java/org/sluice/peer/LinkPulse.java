package org.sluice.peer;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.Doorbell;
import org.sluice.wire.SignsOfLife;

/** One link's part in its peer's {@link PeerPulse}: what it says and hears, and whether it waits for something. */
final class LinkPulse {
    private final SignsOfLife control;
    private final Doorbell bell;
    private volatile @Nullable PeerPulse peer;
    private volatile Runnable lookAtAgent = () -> {};
    private volatile boolean waits;
    private volatile boolean suspected;
    private volatile long suspectedAt;

    /** @param bell rung when the link is to look after its connection */
    LinkPulse(SignsOfLife control, Doorbell bell) {
        this.control = control;
        this.bell = bell;
    }

    /** From now on it is part of that. @param look gives the link up when its agent does not come back; short, any thread */
    void begin(PeerPulse part, Runnable look) {
        lookAtAgent = look;
        peer = part;
    }

    @Nullable PeerPulse peer() {
        return peer;
    }

    // --- the link's agent

    /** @param forPeer whether it waits for what the peer may say at any time, and can look for another way to it */
    void waits(boolean forPeer) {
        if (waits != forPeer) {
            waits = forPeer;
        }
    }

    /** When the peer was heard last: on this connection, or on that of any link. */
    long heardAt() {
        PeerPulse p = peer;
        return p == null ? control.readAt() : p.heardAt(control.readAt());
    }

    /** Since when the peer's silence counts at the earliest; {@code otherwise} where nothing is known of it. */
    long awakeSince(long now, long otherwise) {
        PeerPulse p = peer;
        return p == null ? otherwise : p.awakeSince(now);
    }

    /** Whether its way may be dead, since a question on one of them was not answered. */
    boolean isSuspected() {
        if (suspected && control.readAt() - suspectedAt > 0) {
            suspected = false;
        }
        return suspected;
    }

    // --- the node's timer

    boolean waits() {
        return waits;
    }

    /** A question of then was not answered on one of the ways to the peer: it may be this one. */
    void suspect(long askedAt, long now) {
        if (waits && control.readAt() - askedAt < 0 && !suspected) {
            suspectedAt = now;
            suspected = true;
            bell.ring();
        }
    }

    void lookAtAgent() {
        lookAtAgent.run();
    }

    long readAt() {
        return control.readAt();
    }

    long writtenAt() {
        return control.writtenAt();
    }

    void beat(long now) throws IOException {
        control.beat(now, 0);
    }
}
