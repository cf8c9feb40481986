package org.sluice.peer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;

/**
 * Two addresses of NICs on two hosts that may reach each other.
 *
 * @param kind what speaks for it
 * @param prefix bits of the subnet they share, 0 for none
 * @param turn pairs of one turn use each NIC once
 * @param sameName whether the NICs have one name: on most hosts they are on one network then
 */
record RailCandidate(Rail rail, Kind kind, boolean ipv6, int prefix, int turn, boolean sameName) {
    /** What speaks for a pair, the strongest first. */
    enum Kind {
        /** Both addresses lie in one subnet. */
        SUBNET,

        /** They may be joined by routers. */
        ROUTED,

        /** They may be on one wire: every NIC has such an address. */
        LINK_LOCAL
    }

    /** More than 16 NICs a side with two addresses of each family have; the weakest are left out. */
    private static final int MOST = 2048;

    /** Best first; among equals those that use different NICs follow each other. */
    static final Comparator<RailCandidate> BEST_FIRST = Comparator.comparing(RailCandidate::kind)
            .thenComparing(RailCandidate::ipv6)
            .thenComparingInt(c -> -c.prefix)
            .thenComparing(c -> !c.sameName)
            .thenComparingInt(RailCandidate::turn)
            .thenComparingInt(c -> c.rail.server())
            .thenComparingInt(c -> c.rail.serverAddress())
            .thenComparingInt(c -> c.rail.clientAddress());

    /** Every pair of addresses that is worth a try between two hosts, best first. */
    static List<RailCandidate> all(List<RemoteNic> server, List<RemoteNic> client) {
        List<RailCandidate> all = new ArrayList<>();
        for (int s = 0; s < server.size(); s++) {
            for (int c = 0; c < client.size(); c++) {
                int turn = Math.floorMod(c - s, Math.max(server.size(), client.size()));
                add(all, server.get(s), client.get(c), s, c, turn);
            }
        }
        all.sort(BEST_FIRST);
        return List.copyOf(all.subList(0, Math.min(MOST, all.size())));
    }

    private static void add(List<RailCandidate> all, RemoteNic a, RemoteNic b, int s, int c, int turn) {
        boolean sameName = a.name().equals(b.name());
        for (int x = 0; x < a.addresses().size(); x++) {
            for (int y = 0; y < b.addresses().size(); y++) {
                Optional<Subnet> p = Subnet.parse(a.addresses().get(x));
                Optional<Subnet> q = Subnet.parse(b.addresses().get(y));
                if (p.isEmpty() || q.isEmpty() || !mayReach(p.get(), q.get())) {
                    continue;
                }
                boolean wireOnly = p.get().isLinkLocal() && p.get().isIpv6();
                int prefix = p.get().sharedWith(q.get());
                Kind kind = wireOnly ? Kind.LINK_LOCAL : prefix > 0 ? Kind.SUBNET : Kind.ROUTED;
                all.add(new RailCandidate(
                        new Rail(s, c, x, y), kind, p.get().isIpv6(), wireOnly ? 0 : prefix, turn, sameName));
            }
        }
    }

    private static boolean mayReach(Subnet p, Subnet q) {
        return p.isIpv6() == q.isIpv6()
                && p.isLinkLocal() == q.isLinkLocal()
                && !p.address().isLoopbackAddress()
                && !q.address().isLoopbackAddress()
                // one address on two hosts is no neighbour: each would find itself there
                && !p.address().equals(q.address());
    }
}
