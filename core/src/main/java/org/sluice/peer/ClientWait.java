package org.sluice.peer;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.sluice.wire.Deadline;

/**
 * How long a server waits for the clients of its GPUs: as long as configured for the first; from then on no longer than a silent
 * peer is borne, since the others belong to the same process and come with it or, when it has died, not at all. Any thread.
 */
final class ClientWait {
    private final Duration forOthers;
    private Deadline until;
    private @Nullable String first;

    /** @param forOthers from the first client's coming */
    ClientWait(Duration forFirst, Duration forOthers) {
        this.forOthers = forOthers;
        this.until = Deadline.in(forFirst);
    }

    /** A client has come for this GPU, whatever becomes of it. */
    synchronized void came(int gpu, String peer) {
        if (first == null) {
            first = "GPU " + gpu + "'s came from " + peer;
            Deadline others = Deadline.in(forOthers);
            until = others.remainingMillis() < until.remainingMillis() ? others : until;
        }
    }

    synchronized boolean isOver() {
        return until.passed();
    }

    synchronized int remainingMillis() {
        return until.remainingMillis();
    }

    /** Why the wait for this GPU's client is over. @param left who came for it and went, as far as anybody did */
    synchronized String why(int port, @Nullable String left) {
        if (left != null) {
            return left + ", and no other came to port " + port + " within " + until.text();
        }
        return "no client came to port " + port + " within " + until.text()
                + (first == null ? "" : " after " + first + "; that client has died, or has fewer GPUs");
    }
}
