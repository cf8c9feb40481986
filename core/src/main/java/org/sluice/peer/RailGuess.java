package org.sluice.peer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;

/**
 * Which NICs of two nodes are taken to reach each other where that cannot be tried: of one host, or of a transport that does not tell
 * its addresses. A pair counts as a rail when both have an address in one subnet; where no pair has, NICs of the same name are taken to
 * be on the same network, and failing that the n-th goes with the n-th. Every NIC is used once before one is used twice.
 */
final class RailGuess {
    private enum Evidence {
        NONE,
        PLACE,
        NAME,
        SUBNET,
        SUBNET_AND_NAME
    }

    private record Candidate(Rail rail, Evidence evidence) {}

    private RailGuess() {}

    /** @param oneHost whether both nodes are on one host, where an address leads back to itself */
    static List<Rail> rails(List<RemoteNic> server, List<RemoteNic> client, boolean oneHost) {
        List<Candidate> candidates = new ArrayList<>();
        for (int s = 0; s < server.size(); s++) {
            for (int c = 0; c < client.size(); c++) {
                Pair pair = pair(server.get(s), client.get(c), s == c, oneHost);
                candidates.add(new Candidate(new Rail(s, c, pair.serverAddress, pair.clientAddress), pair.evidence));
            }
        }
        Evidence best = candidates.stream()
                .map(Candidate::evidence)
                .max(Comparator.naturalOrder())
                .orElse(Evidence.NONE);
        // once one pair shares a subnet, pairs that share none are not trusted; among names and places likewise
        Evidence least = best.compareTo(Evidence.SUBNET) >= 0 ? Evidence.SUBNET : best;
        boolean[] serverUsed = new boolean[server.size()];
        boolean[] clientUsed = new boolean[client.size()];
        List<Candidate> taken = new ArrayList<>();
        candidates.stream()
                .filter(c -> c.evidence != Evidence.NONE && c.evidence.compareTo(least) >= 0)
                .sorted(Comparator.comparing(Candidate::evidence).reversed())
                .filter(c -> !serverUsed[c.rail.server()] && !clientUsed[c.rail.client()])
                .forEach(c -> take(c, taken, serverUsed, clientUsed));
        // a NIC that is left over shares the partner of another
        candidates.stream()
                .filter(c -> c.evidence.compareTo(Evidence.SUBNET) >= 0)
                .filter(c -> !serverUsed[c.rail.server()] || !clientUsed[c.rail.client()])
                .forEach(c -> take(c, taken, serverUsed, clientUsed));
        return taken.stream()
                .map(Candidate::rail)
                .sorted(Comparator.comparingInt(Rail::server).thenComparingInt(Rail::client))
                .toList();
    }

    private static void take(Candidate c, List<Candidate> taken, boolean[] serverUsed, boolean[] clientUsed) {
        serverUsed[c.rail.server()] = true;
        clientUsed[c.rail.client()] = true;
        taken.add(c);
    }

    /** Two addresses of two NICs and what speaks for it that they reach each other. */
    private record Pair(Evidence evidence, int serverAddress, int clientAddress) {
        static final Pair NONE = new Pair(Evidence.NONE, 0, 0);
    }

    private static Pair pair(RemoteNic a, RemoteNic b, boolean samePlace, boolean oneHost) {
        boolean name = a.name().equals(b.name());
        Pair best = Pair.NONE;
        int longest = 0;
        for (int x = 0; x < a.addresses().size(); x++) {
            for (int y = 0; y < b.addresses().size(); y++) {
                int prefix = shared(a.addresses().get(x), b.addresses().get(y), oneHost);
                if (prefix > longest) {
                    longest = prefix;
                    best = new Pair(name ? Evidence.SUBNET_AND_NAME : Evidence.SUBNET, x, y);
                }
            }
        }
        if (longest > 0) {
            return best;
        }
        if (!oneHost && a.addresses().stream().anyMatch(b.addresses()::contains)) {
            return Pair.NONE;
        }
        Evidence weak = name ? Evidence.NAME : samePlace ? Evidence.PLACE : Evidence.NONE;
        return sameFamily(a, b, weak);
    }

    /** The first addresses of one family; NICs without any are left to their transport. */
    private static Pair sameFamily(RemoteNic a, RemoteNic b, Evidence evidence) {
        if (a.addresses().isEmpty() || b.addresses().isEmpty()) {
            return new Pair(evidence, 0, 0);
        }
        for (int x = 0; x < a.addresses().size(); x++) {
            for (int y = 0; y < b.addresses().size(); y++) {
                if (a.addresses().get(x).contains(":") == b.addresses().get(y).contains(":")) {
                    return new Pair(evidence, x, y);
                }
            }
        }
        return Pair.NONE;
    }

    /** Bits of the subnet that two addresses share; 0 for none. */
    static int shared(String x, String y, boolean oneHost) {
        Optional<Subnet> a = Subnet.parse(x);
        Optional<Subnet> b = Subnet.parse(y);
        if (a.isEmpty() || b.isEmpty()) {
            return 0;
        }
        boolean same = a.get().address().equals(b.get().address());
        if (same && !oneHost) {
            return 0; // one address on two hosts is no neighbour: each would find itself there
        }
        if (!same && a.get().isIpv6() && a.get().isLinkLocal()) {
            return 0; // every wire has this subnet
        }
        return a.get().sharedWith(b.get());
    }
}
