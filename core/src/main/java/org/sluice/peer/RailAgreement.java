package org.sluice.peer;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.sluice.LinkException;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;

/**
 * Which NIC of the server and which of the client each channel joins. A pair counts as a rail when both have an address in one
 * subnet; where no pair has (cloud NICs often carry a /32), NICs of the same name are taken to be on the same network, and
 * failing that the n-th goes with the n-th. Every NIC is used once before one is used twice.
 */
final class RailAgreement {
    private enum Evidence {
        NONE,
        PLACE,
        NAME,
        SUBNET,
        SUBNET_AND_NAME
    }

    private record Candidate(Rail rail, Evidence evidence, int near) {}

    private RailAgreement() {}

    /**
     * The rail of each channel.
     *
     * @param gpu rotates the order, so that GPUs with few channels do not all start on the first NIC
     * @param oneHost whether both nodes are on one host, where an address leads back to itself
     */
    static List<Rail> agree(List<RemoteNic> server, List<RemoteNic> client, int channels, int gpu, boolean oneHost) {
        List<Rail> rails = rails(server, client, oneHost);
        if (rails.isEmpty()) {
            throw new LinkException("no rail: the server's NICs " + names(server) + " and the client's " + names(client)
                    + " share no subnet and no name; choose NICs that reach each other with --nics on both sides");
        }
        List<Rail> ofChannel = new ArrayList<>(channels);
        for (int c = 0; c < channels; c++) {
            ofChannel.add(rails.get((c + gpu) % rails.size()));
        }
        return ofChannel;
    }

    static List<Rail> rails(List<RemoteNic> server, List<RemoteNic> client, boolean oneHost) {
        List<Candidate> candidates = new ArrayList<>();
        for (int s = 0; s < server.size(); s++) {
            for (int c = 0; c < client.size(); c++) {
                RemoteNic a = server.get(s);
                RemoteNic b = client.get(c);
                int near = (a.near() ? 1 : 0) + (b.near() ? 1 : 0);
                Pair pair = pair(a, b, s == c, oneHost);
                candidates.add(
                        new Candidate(new Rail(s, c, pair.serverAddress, pair.clientAddress), pair.evidence, near));
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
                .forEach(c -> {
                    // one-to-one first; a NIC that is left over shares the partner of another
                    boolean free = !serverUsed[c.rail.server()] && !clientUsed[c.rail.client()];
                    if (free) {
                        serverUsed[c.rail.server()] = true;
                        clientUsed[c.rail.client()] = true;
                        taken.add(c);
                    }
                });
        candidates.stream()
                .filter(c -> c.evidence.compareTo(Evidence.SUBNET) >= 0)
                .filter(c -> !serverUsed[c.rail.server()] || !clientUsed[c.rail.client()])
                .forEach(c -> {
                    if (!serverUsed[c.rail.server()] || !clientUsed[c.rail.client()]) {
                        serverUsed[c.rail.server()] = true;
                        clientUsed[c.rail.client()] = true;
                        taken.add(c);
                    }
                });
        return taken.stream()
                .sorted(Comparator.comparingInt((Candidate c) -> -c.near)
                        .thenComparingInt(c -> c.rail.server())
                        .thenComparingInt(c -> c.rail.client()))
                .map(Candidate::rail)
                .toList();
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
                int prefix = commonPrefix(a.addresses().get(x), b.addresses().get(y), oneHost);
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

    /** Bits of the subnet that two addresses share, the shorter prefix of the two; 0 for none. */
    private static int commonPrefix(String x, String y, boolean oneHost) {
        // one address on two hosts is no neighbour: each would find itself there
        if (!sameSubnet(x, y) || (!oneHost && literal(x).equals(literal(y)))) {
            return 0;
        }
        return Math.min(
                parse(x).map(Subnet::prefix).orElse(0),
                parse(y).map(Subnet::prefix).orElse(0));
    }

    private static String literal(String address) {
        int slash = address.indexOf('/');
        return slash < 0 ? address : address.substring(0, slash);
    }

    private record Subnet(byte[] address, int prefix) {}

    /** Whether {@code 10.1.0.2/24} and {@code 10.1.0.1/24} are neighbours: the shorter prefix decides. */
    static boolean sameSubnet(String x, String y) {
        Optional<Subnet> a = parse(x);
        Optional<Subnet> b = parse(y);
        if (a.isEmpty() || b.isEmpty()) {
            return false;
        }
        byte[] p = a.get().address;
        byte[] q = b.get().address;
        int prefix = Math.min(a.get().prefix, b.get().prefix);
        if (p.length != q.length || prefix == 0) {
            return false;
        }
        for (int bit = 0; bit < prefix; bit += 8) {
            int mask = prefix - bit >= 8 ? 0xff : (0xff << (8 - (prefix - bit))) & 0xff;
            if (((p[bit / 8] ^ q[bit / 8]) & mask) != 0) {
                return false;
            }
        }
        return true;
    }

    private static Optional<Subnet> parse(String text) {
        int slash = text.indexOf('/');
        try {
            // a literal only: the text is the peer's word, and must not make this side ask a name server
            InetAddress address = InetAddress.ofLiteral(slash < 0 ? text : text.substring(0, slash));
            int bits = address.getAddress().length * 8;
            int prefix = slash < 0 ? bits : Integer.parseInt(text.substring(slash + 1));
            return prefix < 0 || prefix > bits
                    ? Optional.empty()
                    : Optional.of(new Subnet(address.getAddress(), prefix));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static String names(List<RemoteNic> nics) {
        return nics.stream()
                .map(n -> n.name() + (n.addresses().isEmpty() ? "" : " " + n.addresses()))
                .toList()
                .toString();
    }
}
