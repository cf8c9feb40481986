package org.sluice.tcp.rails;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.sluice.testkit.Lab;
import org.sluice.testkit.Lab.Place;

/**
 * Two hosts with 1 to 8 NICs each, as a seed has it: in shared, overlapping, routed and dead subnets, several in one or each in its
 * own, with one address or more, IPv4, IPv6 or both; and a cable {@code ctl} for the control connection, which may be a rail too.
 *
 * @param server NICs of host A
 * @param client NICs of host B
 * @param text what was made, for people
 */
record RandomHosts(List<String> server, List<String> client, String text) {
    /** Where the client finds the server. */
    static final String SERVER = "192.168.255.1";

    private enum Segment {
        SHARED,
        OVERLAPPING,
        ROUTED,
        DEAD
    }

    private enum Family {
        IPV4,
        IPV6,
        BOTH
    }

    /** Writes it down and makes it. */
    static RandomHosts make(Lab lab, long seed) throws IOException {
        Random random = new Random(seed);
        random.nextInt(); // neighbouring seeds begin alike
        int segments = 1 + random.nextInt(6);
        StringBuilder text = new StringBuilder("seed " + seed + ":");
        Segment[] kind = new Segment[segments];
        Family[] family = new Family[segments];
        lab.run(Place.FABRIC, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1");
        for (int s = 0; s < segments; s++) {
            kind[s] = Segment.values()[random.nextInt(Segment.values().length)];
            family[s] = Family.values()[random.nextInt(Family.values().length)];
            for (Place host : List.of(Place.A, Place.B)) {
                bridges(lab, s, kind[s], host);
            }
        }
        lab.cable("ctl", "ctl");
        lab.address(Place.A, "ctl", SERVER + "/30").address(Place.B, "ctl", "192.168.255.2/30");
        List<List<String>> nics = new ArrayList<>();
        for (Place host : List.of(Place.A, Place.B)) {
            List<String> names = new ArrayList<>(List.of("ctl"));
            int count = 1 + random.nextInt(8);
            for (int n = 0; n < count; n++) {
                int s = random.nextInt(segments);
                String name = (random.nextBoolean() ? "eth" : "ens") + n;
                names.add(name);
                text.append(' ')
                        .append(host)
                        .append('.')
                        .append(name)
                        .append('=')
                        .append(kind[s])
                        .append(s)
                        .append(family[s]);
                lab.nic(host, name, bridge(s, kind[s], host));
                addresses(lab, host, name, n, s, kind[s], family[s], random);
            }
            nics.add(names);
        }
        lab.make();
        return new RandomHosts(nics.get(0), nics.get(1), text.toString());
    }

    private static String bridge(int segment, Segment kind, Place host) {
        return kind == Segment.SHARED || kind == Segment.OVERLAPPING ? "br" + segment : "br" + segment + host;
    }

    private static void bridges(Lab lab, int segment, Segment kind, Place host) {
        String bridge = bridge(segment, kind, host);
        if (bridge.equals("br" + segment) && host == Place.B) {
            return; // there already: both hosts share it
        }
        lab.bridge(bridge);
        if (kind == Segment.ROUTED) {
            lab.address(Place.FABRIC, bridge, subnet(segment, host) + "254/24");
            lab.address(Place.FABRIC, bridge, subnet6(segment, host) + "ff/64");
        }
    }

    /** Overlapping segments lie in one /16, though on different wires. */
    private static String subnet(int segment, Place host) {
        return "10." + (10 + segment) + "." + (host == Place.A ? 1 : 2) + ".";
    }

    private static String subnet6(int segment, Place host) {
        return "fd00:" + (10 + segment) + ":" + (host == Place.A ? 1 : 2) + "::";
    }

    private static void addresses(
            Lab lab, Place host, String nic, int n, int s, Segment kind, Family family, Random random) {
        int number = (host == Place.A ? 1 : 101) + n;
        boolean routed = kind == Segment.ROUTED;
        Place home = routed ? host : Place.A;
        if (family != Family.IPV6) {
            String net = kind == Segment.OVERLAPPING ? "10.99." + s + "." : subnet(s, home);
            lab.address(
                    host, nic, net + number + (kind == Segment.OVERLAPPING && random.nextBoolean() ? "/16" : "/24"));
            if (routed) {
                lab.ip(
                        host,
                        "route add " + subnet(s, other(host)) + "0/24 via " + net + "254 dev " + nic + " metric "
                                + (100 + n));
            }
        }
        if (family != Family.IPV4) {
            String net = subnet6(s, home);
            lab.address(host, nic, net + Integer.toHexString(number) + "/64");
            if (routed) {
                lab.ip(
                        host,
                        "route add " + subnet6(s, other(host)) + "/64 via " + net + "ff dev " + nic + " metric "
                                + (100 + n));
            }
        }
        if (random.nextInt(3) == 0) {
            lab.address(host, nic, "172.16." + s + "." + number + (random.nextBoolean() ? "/24" : "/32"));
        }
    }

    private static Place other(Place host) {
        return host == Place.A ? Place.B : Place.A;
    }
}
