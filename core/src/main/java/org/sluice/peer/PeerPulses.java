package org.sluice.peer;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.PeerId;
import org.sluice.transfer.NodeTimer;

/** The {@link PeerPulse} of each of a node's peers, and the one tick of the node's timer for all of them. Any thread. */
final class PeerPulses {
    private final Map<PeerId, PeerPulse> peers = new HashMap<>();
    private final Duration timeout;
    private @Nullable Future<?> ticking;

    /** @param timeout of silence after which a peer is lost */
    PeerPulses(Duration timeout) {
        this.timeout = timeout;
    }

    /** A link of the peer's begins. {@link #leave} when it ends. @param look as {@link LinkPulse#begin} has it */
    synchronized void join(PeerId peer, NodeTimer timer, LinkPulse link, Runnable look) {
        PeerPulse pulse = peers.computeIfAbsent(peer, p -> new PeerPulse(timeout, System.nanoTime()));
        link.begin(pulse, look);
        pulse.add(link);
        if (ticking == null) {
            ticking = timer.every(Duration.ofNanos(PeerPulse.tick(timeout)), this::tick);
        }
    }

    /** Idempotent. */
    synchronized void leave(LinkPulse link) {
        PeerPulse pulse = link.peer();
        if (pulse != null && pulse.remove(link)) {
            peers.values().remove(pulse);
        }
        if (peers.isEmpty() && ticking != null) {
            ticking.cancel(false);
            ticking = null;
        }
    }

    private synchronized List<PeerPulse> all() {
        return List.copyOf(peers.values());
    }

    private void tick() {
        for (PeerPulse p : all()) {
            p.tick(System.nanoTime());
        }
    }
}
