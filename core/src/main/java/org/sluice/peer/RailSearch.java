package org.sluice.peer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;

/**
 * What is known of the pairs of addresses between two nodes, and which is to be tried next: best first, paced and capped, so that a
 * node with many NICs floods nobody. A pair that failed is tried again, ever more seldom, for as long as one of its NICs reaches
 * nobody. Knows no sockets and no clock: it is told. For one thread at a time.
 */
final class RailSearch {
    /** Between two starts. */
    static final long PACE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    /** Tries under way: the first pairs may all be dead and keep their places for seconds. */
    static final int MOST_RUNNING = 128;

    /** After the first proof others have so long to be among the first rails. */
    static final long SETTLE_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

    /** And longer while new ones keep coming so soon after each other: a crowded machine is slow at all of them. */
    static final long STRAGGLE_NANOS = TimeUnit.MILLISECONDS.toNanos(150);

    /** But no longer than this. */
    static final long MOST_SETTLE_NANOS = TimeUnit.MILLISECONDS.toNanos(1500);

    private static final long FIRST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LONGEST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(15);

    /** A pair of addresses and what became of it. */
    private static final class Entry {
        final RailCandidate candidate;
        boolean running;
        boolean proven;
        boolean everFailed;
        String why = "has not been tried";
        long pause = FIRST_PAUSE_NANOS;
        long nextAt = Long.MIN_VALUE;

        Entry(RailCandidate candidate) {
            this.candidate = candidate;
        }
    }

    private record NicPair(int server, int client) {
        static NicPair of(Rail r) {
            return new NicPair(r.server(), r.client());
        }
    }

    private final List<RemoteNic> server;
    private final List<RemoteNic> client;
    private final List<Entry> entries = new ArrayList<>();
    private final Map<Rail, Entry> byRail = new HashMap<>();
    private final Map<NicPair, Entry> proven = new HashMap<>();
    private final Set<Integer> joinedServers = new HashSet<>();
    private final Set<Integer> joinedClients = new HashSet<>();
    private boolean complete;
    private int running;
    private boolean started;
    private long startedAt;
    private boolean anyProven;
    private long firstProofAt;
    private long lastProofAt;

    RailSearch(List<RemoteNic> server, List<RemoteNic> client) {
        this.server = server;
        this.client = client;
        for (RailCandidate c : RailCandidate.all(server, client)) {
            Entry e = new Entry(c);
            entries.add(e);
            byRail.put(c.rail(), e);
        }
    }

    /** Whether there is anything to try at all. */
    boolean isEmpty() {
        return entries.isEmpty();
    }

    /** The pair to try now; null for none now, see {@link #waitNanos}. */
    @Nullable Rail next(long now) {
        if (running >= MOST_RUNNING || (started && now - startedAt < PACE_NANOS)) {
            return null;
        }
        for (Entry e : entries) {
            if (isDue(e, now)) {
                e.running = true;
                running++;
                started = true;
                startedAt = now;
                return e.candidate.rail();
            }
        }
        return null;
    }

    private boolean isDue(Entry e, long now) {
        return !e.running && isWanted(e) && (e.nextAt == Long.MIN_VALUE || now - e.nextAt >= 0);
    }

    private boolean isWanted(Entry e) {
        Rail r = e.candidate.rail();
        if (e.proven || proven.containsKey(NicPair.of(r))) {
            return false;
        }
        return !e.everFailed || !reaches(r.server(), true) || !reaches(r.client(), false);
    }

    private boolean reaches(int nic, boolean atServer) {
        return (atServer ? joinedServers : joinedClients).contains(wire(nic, atServer));
    }

    private int wire(int nic, boolean atServer) {
        return (atServer ? server : client).get(nic).wire();
    }

    /** Nanoseconds until {@link #next} may have something; -1 where only an outcome can change that. */
    long waitNanos(long now) {
        if (running >= MOST_RUNNING) {
            return -1;
        }
        long least = -1;
        for (Entry e : entries) {
            if (!e.running && isWanted(e)) {
                long wait = e.nextAt == Long.MIN_VALUE ? 0 : Math.max(0, e.nextAt - now);
                least = least < 0 ? wait : Math.min(least, wait);
            }
        }
        return least < 0 ? -1 : Math.max(least, started ? startedAt + PACE_NANOS - now : 0);
    }

    /** @return whether the pair of NICs was not known to work */
    boolean proven(Rail rail, long now) {
        Entry e = over(rail);
        e.proven = true;
        if (!anyProven) {
            anyProven = true;
            firstProofAt = now;
        }
        if (proven.putIfAbsent(NicPair.of(rail), e) != null) {
            return false;
        }
        lastProofAt = now;
        joinedServers.add(wire(rail.server(), true));
        joinedClients.add(wire(rail.client(), false));
        complete = isComplete();
        return true;
    }

    /** Whether the two NICs of a rail have been proven to reach each other. */
    boolean works(Rail rail) {
        return proven.containsKey(NicPair.of(rail));
    }

    void failed(Rail rail, String why, long now) {
        Entry e = over(rail);
        e.why = why;
        e.everFailed = true;
        e.nextAt = now + e.pause;
        e.pause = Math.min(e.pause * 2, LONGEST_PAUSE_NANOS);
    }

    private Entry over(Rail rail) {
        Entry e = byRail.get(rail);
        if (e == null || !e.running) {
            throw new IllegalStateException(rail + " is not being tried");
        }
        e.running = false;
        running--;
        return e;
    }

    /** Whether waiting longer for the first rails is of no use: all are there, or the time for stragglers is over. */
    boolean isSettled(long now) {
        return anyProven && (complete || settleNanos(now) == 0 || isExhausted());
    }

    /** Nanoseconds until the time for stragglers is over; -1 before the first proof. */
    long settleNanos(long now) {
        if (!anyProven) {
            return -1;
        }
        long stragglers = Math.max(SETTLE_NANOS, lastProofAt - firstProofAt + STRAGGLE_NANOS);
        return Math.max(0, firstProofAt + Math.min(stragglers, MOST_SETTLE_NANOS) - now);
    }

    /** Whether every pair has been tried, and none is under way. */
    boolean isExhausted() {
        return running == 0 && entries.stream().allMatch(e -> e.everFailed || e.proven || !isWanted(e));
    }

    /** Whether each wire of both sides has a rail, and no smaller side could be used better. */
    private boolean isComplete() {
        Set<Integer> servers = wires(server);
        Set<Integer> clients = wires(client);
        return joinedServers.equals(servers)
                && joinedClients.equals(clients)
                && rails().size() == Math.max(servers.size(), clients.size());
    }

    private static Set<Integer> wires(List<RemoteNic> nics) {
        Set<Integer> wires = new HashSet<>();
        nics.forEach(n -> wires.add(n.wire()));
        return wires;
    }

    /** What is to be used of all that works. */
    List<Rail> rails() {
        return RailMatching.of(proven.values().stream().map(e -> e.candidate).toList(), server, client);
    }

    /**
     * Pairs of one subnet that ought to work and do not: of NICs that reach nobody, each NIC once.
     */
    List<Rail> expected() {
        List<Rail> expected = new ArrayList<>();
        Set<Integer> servers = new HashSet<>();
        Set<Integer> clients = new HashSet<>();
        for (Entry e : entries) {
            Rail r = e.candidate.rail();
            if (e.candidate.kind() == RailCandidate.Kind.SUBNET
                    && !reaches(r.server(), true)
                    && !reaches(r.client(), false)
                    && servers.add(wire(r.server(), true))
                    && clients.add(wire(r.client(), false))) {
                expected.add(r);
            }
        }
        return expected;
    }

    /** Why each NIC of a side that reaches nobody does not, by its place: what the best of its pairs met with. */
    Map<Integer, String> idle(boolean atServer) {
        Map<Integer, String> idle = new HashMap<>();
        List<RemoteNic> nics = atServer ? server : client;
        for (int n = 0; n < nics.size(); n++) {
            if (!reaches(n, atServer)) {
                idle.put(n, why(n, atServer));
            }
        }
        return idle;
    }

    private String why(int nic, boolean atServer) {
        for (Entry e : entries) {
            Rail r = e.candidate.rail();
            if (r.nic(atServer) == nic) {
                RemoteNic a = server.get(r.server());
                RemoteNic b = client.get(r.client());
                return b.name() + " " + b.literal(r.clientAddress()) + " > " + a.name() + " "
                        + a.literal(r.serverAddress()) + " " + (e.running ? "has not answered yet" : e.why);
            }
        }
        return "no address of the peer's is of its kind";
    }
}
