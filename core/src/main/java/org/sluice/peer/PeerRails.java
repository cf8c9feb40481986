package org.sluice.peer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ClosedException;
import org.sluice.ErrorCode;
import org.sluice.LeftOut;
import org.sluice.LinkException;
import org.sluice.Where;
import org.sluice.spi.RailProver;
import org.sluice.spi.RailProver.Outcome;
import org.sluice.spi.Threads;
import org.sluice.wire.Deadline;
import org.sluice.wire.NodeIdentity;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;

/**
 * The rails to one server, as its client finds them: what is tried, what is proven, and what is tried again in the background for as
 * long as links use them. A virtual thread starts the tries; any thread may ask.
 */
final class PeerRails {
    private static final Logger log = LoggerFactory.getLogger(PeerRails.class);

    /** A peer whose last link has ended may come back at once. */
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** With no rail at all, and every pair tried, somebody may still be about to plug in a cable; not for as long as a deadline. */
    private static final long HOPELESS_NANOS = TimeUnit.SECONDS.toNanos(8);

    private static final long MILLI = 1_000_000;

    /**
     * What a link is made over.
     *
     * @param rails those that work, then those that ought to and do not now
     * @param proven how many work
     */
    record Found(List<Rail> rails, int proven) {}

    private final NodeIdentity self;
    private final NodeIdentity server;
    private final boolean oneHost;
    private final @Nullable RailProver prover;
    private final Consumer<PeerRails> left;
    private final RailSearch search;
    private final long begunAt = System.nanoTime();
    private byte[] token = {};
    private int users;
    private long unusedSince = System.nanoTime();
    private boolean settled;
    private boolean closed;

    /** @param prover null where there is nothing to try @param left told when nobody has used this for a while */
    PeerRails(
            NodeIdentity self,
            NodeIdentity server,
            boolean oneHost,
            @Nullable RailProver prover,
            Consumer<PeerRails> left) {
        this.self = self;
        this.server = server;
        this.oneHost = oneHost;
        this.left = left;
        this.search = new RailSearch(server.nics(), self.nics());
        this.prover = search.isEmpty() ? null : prover;
    }

    /** Begins to try. */
    void start() {
        if (prover != null) {
            Threads.startVirtual("rails-" + server.name(), () -> run(prover));
        }
    }

    /** One more link uses them. @param latest what lets tries in at the server */
    synchronized void retain(byte[] latest) {
        users++;
        token = latest;
        notifyAll();
    }

    /** A link does no more. */
    synchronized void release() {
        users--;
        unusedSince = System.nanoTime();
        notifyAll();
    }

    synchronized boolean isReleased() {
        return users == 0;
    }

    private void run(RailProver tries) {
        try {
            Rail rail = next();
            while (rail != null) {
                attempt(tries, rail);
                rail = next();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        left.accept(this);
    }

    /** Waits for the time of the next try. @return null when there will be none */
    private synchronized @Nullable Rail next() throws InterruptedException {
        while (true) {
            long now = System.nanoTime();
            if (closed || (users == 0 && now - unusedSince >= LINGER_NANOS)) {
                closed = true;
                return null;
            }
            Rail rail = users == 0 ? null : search.next(now);
            if (rail != null) {
                return rail;
            }
            long rest = users == 0 ? unusedSince + LINGER_NANOS - now : search.waitNanos(now);
            if (rest < 0) {
                wait();
            } else {
                wait(Math.max(1, rest / MILLI));
            }
        }
    }

    private synchronized byte[] token() {
        return token;
    }

    private void attempt(RailProver tries, Rail rail) {
        String to = server.nics().get(rail.server()).literal(rail.serverAddress());
        tries.attempt(
                new RailProver.Try(rail.client(), rail.clientAddress(), to, server.proofPort(), token()),
                outcome -> over(rail, outcome));
    }

    private synchronized void over(Rail rail, Outcome outcome) {
        long now = System.nanoTime();
        switch (outcome) {
            case Outcome.Proven p
            when p.peerNic() < 0 || p.peerNic() == rail.server() -> {
                if (search.proven(rail, now)) {
                    String text = text(rail);
                    log.debug("rail {} to {} is proven", text, server.name());
                    if (settled) {
                        log.info(
                                "rail {} to {} works now; links that are made from now on use it", text, server.name());
                    }
                }
            }
            case Outcome.Proven p -> search.failed(rail, strayed(p.peerNic()), now);
            case Outcome.Failed f -> search.failed(rail, f.why(), now);
        }
        notifyAll();
    }

    private String strayed(int nic) {
        String by = nic < server.nics().size() ? server.nics().get(nic).name() : "NIC " + nic;
        return "came in by " + by + " there, which answers ARP for that address (sysctl net.ipv4.conf.all.arp_ignore=1"
                + " on both hosts, or a subnet for each NIC)";
    }

    private String text(Rail r) {
        RemoteNic a = server.nics().get(r.server());
        RemoteNic b = self.nics().get(r.client());
        return b.name() + " " + b.literal(r.clientAddress()) + " > " + a.name() + " " + a.literal(r.serverAddress());
    }

    /**
     * Waits for the first rails.
     *
     * @param roundRobin whether only rails that work are of use
     * @param where who asks, for messages
     * @throws LinkException when there are none; it says what each NIC of this side met with
     */
    synchronized Found await(Deadline deadline, boolean roundRobin, Where where) {
        if (prover == null) {
            List<Rail> guessed = RailGuess.rails(server.nics(), self.nics(), oneHost);
            if (guessed.isEmpty()) {
                throw new LinkException(
                        ErrorCode.NO_RAIL,
                        where,
                        "no rail: the server's NICs " + names(server) + " and the client's "
                                + names(self)
                                + " share no subnet and no name; choose NICs that reach each other with --nics on both sides");
            }
            return new Found(guessed, guessed.size());
        }
        try {
            while (true) {
                long now = System.nanoTime();
                if (closed) {
                    throw new ClosedException(where, "the node was closed while its rails were tried");
                }
                if (search.isSettled(now)) {
                    settled = true;
                    return found(roundRobin);
                }
                boolean hopeless = search.isExhausted() && now - begunAt >= HOPELESS_NANOS;
                if (hopeless || deadline.passed()) {
                    throw new LinkException(
                            ErrorCode.NO_RAIL,
                            where,
                            "no NIC of this side reaches the peer " + server.name() + ": "
                                    + String.join(
                                            "; ",
                                            new ArrayList<>(search.idle(false).values()))
                                    + "; look for firewalls, routes and cables, or choose other NICs with --nics");
                }
                long wait = search.settleNanos(now);
                wait(wait < 0 ? Math.min(deadline.remainingMillis(), 100) : Math.max(1, wait / MILLI));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClosedException(ErrorCode.INTERRUPTED, where, "interrupted while rails were tried", e);
        }
    }

    private Found found(boolean roundRobin) {
        List<Rail> all = new ArrayList<>(search.rails());
        int proven = all.size();
        if (!roundRobin) {
            all.addAll(search.expected());
        }
        return new Found(all, proven);
    }

    /** Whether the two NICs of a rail are known to reach each other by now. */
    synchronized boolean works(Rail rail) {
        return prover == null || search.works(rail);
    }

    /** Why NICs of this side reach nobody there, by their places. */
    synchronized Map<Integer, String> whyIdle() {
        return prover == null ? Map.of() : search.idle(false);
    }

    /**
     * The NICs of a side that carry nothing to its peer, with the reasons.
     *
     * @param used the rails that work
     * @param why by the NIC's place, where it is known
     */
    static List<LeftOut> idle(
            List<RemoteNic> nics, List<Rail> used, boolean asServer, String peer, Map<Integer, String> why) {
        List<LeftOut> idle = new ArrayList<>();
        for (int n = 0; n < nics.size(); n++) {
            int nic = n;
            if (used.stream().noneMatch(r -> r.nic(asServer) == nic)) {
                String reason = used.stream()
                        .map(r -> nics.get(r.nic(asServer)))
                        .filter(u -> u.wire() == nics.get(nic).wire())
                        .findFirst()
                        .map(u -> "it is one wire with " + u.name() + ", which is used")
                        .orElse(why.getOrDefault(
                                nic,
                                asServer
                                        ? "no try of the client's came in by it"
                                        : "no NIC of the peer's was found for it"));
                idle.add(new LeftOut(nics.get(nic).name(), "carries nothing to " + peer + ": " + reason));
            }
        }
        return idle;
    }

    private static String names(NodeIdentity node) {
        return node.nics().stream()
                .map(n -> n.name() + (n.addresses().isEmpty() ? "" : " " + n.addresses()))
                .toList()
                .toString();
    }

    /** Ends it: who waits is told. Idempotent. */
    synchronized void close() {
        closed = true;
        notifyAll();
    }
}
