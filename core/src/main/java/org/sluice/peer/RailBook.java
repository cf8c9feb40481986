package org.sluice.peer;

import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sluice.LeftOut;
import org.sluice.spi.RailProver;
import org.sluice.wire.NodeIdentity;

/**
 * What this node knows of the rails to its peers: proven once for each, however many links are made at the same moment. A peer is
 * known by the number it gave itself, so one that was started again is proven anew. Any thread.
 */
public final class RailBook implements AutoCloseable {
    private static final SecureRandom RANDOM = new SecureRandom();

    /** Peers whose tries are let in; the one that was heard of longest ago gives way. */
    private static final int MOST_ADMITTED = 4096;

    /** A node's number. */
    private record NodeId(long high, long low) {
        static NodeId of(NodeIdentity node) {
            return new NodeId(node.idHigh(), node.idLow());
        }
    }

    private final NodeIdentity self;
    private final @Nullable RailProver prover;
    private final Map<NodeId, byte[]> admitted = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<NodeId, PeerRails> peers = new HashMap<>();
    private final Map<NodeId, List<LeftOut>> idle = new LinkedHashMap<>(16, 0.75f, true);
    private boolean closed;

    /** @param self without token @param prover null where rails cannot be tried: then names and subnets have to do */
    public RailBook(NodeIdentity self, @Nullable RailProver prover) {
        this.self = self;
        this.prover = prover;
    }

    /** This node, as it presents itself to one whose rails it tries. */
    NodeIdentity self() {
        return self;
    }

    /** This node, as it presents itself to a client, which may try its rails from now on. */
    synchronized NodeIdentity introducedTo(NodeIdentity client) {
        if (prover == null || closed) {
            return self;
        }
        byte[] token = admitted.computeIfAbsent(NodeId.of(client), id -> {
            byte[] fresh = new byte[RailProver.TOKEN_BYTES];
            RANDOM.nextBytes(fresh);
            prover.admit(fresh);
            return fresh;
        });
        if (admitted.size() > MOST_ADMITTED) {
            var oldest = admitted.entrySet().iterator();
            prover.dismiss(oldest.next().getValue());
            oldest.remove();
        }
        return self.withToken(token);
    }

    /** Whether two nodes share a host and its network. @param byAddress what the connection's addresses say of it */
    boolean isOneHost(NodeIdentity peer, boolean byAddress) {
        boolean told = self.host() != 0 && peer.host() != 0;
        return told ? self.host() == peer.host() : byAddress;
    }

    /**
     * The rails to a server, which are being proven from now on unless they were before. Who asked {@linkplain PeerRails#release
     * releases} them when its link has ended.
     *
     * @param oneHost whether the server is on this host, where every address leads back
     */
    synchronized PeerRails towards(NodeIdentity server, boolean oneHost) {
        PeerRails rails = peers.get(NodeId.of(server));
        if (rails == null) {
            RailProver tries = oneHost || server.proofPort() == 0 ? null : prover;
            rails = new PeerRails(self, server, oneHost, tries, left -> forget(NodeId.of(server), left));
            peers.put(NodeId.of(server), rails);
            rails.start();
        }
        rails.retain(server.token());
        return rails;
    }

    private synchronized void forget(NodeId peer, PeerRails rails) {
        if (rails.isReleased() || closed) {
            peers.remove(peer, rails);
            idle.remove(peer);
        }
    }

    /** Notes which NICs of this side carry nothing to a peer. @return whether that is news */
    synchronized boolean idle(NodeIdentity peer, List<LeftOut> nics) {
        List<LeftOut> before = idle.put(NodeId.of(peer), List.copyOf(nics));
        if (idle.size() > MOST_ADMITTED) {
            var oldest = idle.entrySet().iterator();
            oldest.next();
            oldest.remove();
        }
        return !nics.isEmpty() && !nics.equals(before);
    }

    /** NICs that carry nothing to some peer, each with the reason. */
    public synchronized List<LeftOut> idle() {
        List<LeftOut> all = new ArrayList<>();
        for (List<LeftOut> of : idle.values()) {
            of.stream().filter(l -> !all.contains(l)).forEach(all::add);
        }
        return all;
    }

    /** Ends every try. Idempotent. */
    @Override
    public synchronized void close() {
        closed = true;
        peers.values().forEach(PeerRails::close);
        peers.clear();
        if (prover != null) {
            prover.close();
        }
    }
}
