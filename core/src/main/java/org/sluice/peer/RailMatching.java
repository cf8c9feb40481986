package org.sluice.peer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;

/**
 * Which of the pairs that reach each other are used as rails: as many as there are wires, one to one, the best pairs first; then
 * each NIC whose wire is left over shares the partner with the most speed to spare. A VLAN and its NIC are one wire.
 */
final class RailMatching {
    private final List<RemoteNic> server;
    private final List<RemoteNic> client;
    private final List<RailCandidate> pairs;

    /** For each wire of the client the pair that joins it, null for none. Wires are numbered by their place in the lists. */
    private final RailCandidate[] joins = new RailCandidate[256];

    private RailMatching(List<RailCandidate> proven, List<RemoteNic> server, List<RemoteNic> client) {
        this.server = server;
        this.client = client;
        this.pairs = proven.stream().sorted(RailCandidate.BEST_FIRST).toList();
    }

    /** @param proven pairs that reach each other, at most one for two NICs @return the rails, in the order of the server's NICs */
    static List<Rail> of(List<RailCandidate> proven, List<RemoteNic> server, List<RemoteNic> client) {
        RailMatching matching = new RailMatching(proven, server, client);
        List<RailCandidate> taken = matching.oneToOne();
        matching.share(taken);
        return taken.stream()
                .map(RailCandidate::rail)
                .sorted(Comparator.comparingInt(Rail::server).thenComparingInt(Rail::client))
                .toList();
    }

    private int serverWire(RailCandidate c) {
        return server.get(c.rail().server()).wire();
    }

    private int clientWire(RailCandidate c) {
        return client.get(c.rail().client()).wire();
    }

    /** The largest set of pairs that share no wire; better ones are in it rather than worse ones. */
    private List<RailCandidate> oneToOne() {
        boolean[] tried = new boolean[256];
        for (RailCandidate c : pairs) {
            // a pair of two wires that are both free is taken as it is; others only where they make room for one more
            if (joins[clientWire(c)] == null && !isJoined(serverWire(c))) {
                joins[clientWire(c)] = c;
            }
        }
        for (RailCandidate c : pairs) {
            if (!isJoined(serverWire(c))) {
                Arrays.fill(tried, false);
                boolean ignored = join(serverWire(c), tried);
            }
        }
        List<RailCandidate> taken = new ArrayList<>();
        for (RailCandidate c : joins) {
            if (c != null) {
                taken.add(c);
            }
        }
        return taken;
    }

    private boolean isJoined(int serverWire) {
        return Arrays.stream(joins).anyMatch(c -> c != null && serverWire(c) == serverWire);
    }

    /** Finds a partner for a wire, where another has to move to its next best if it can. */
    private boolean join(int serverWire, boolean[] tried) {
        for (RailCandidate c : pairs) {
            int wire = clientWire(c);
            if (serverWire(c) != serverWire || tried[wire]) {
                continue;
            }
            tried[wire] = true;
            RailCandidate there = joins[wire];
            if (there == null || join(serverWire(there), tried)) {
                joins[wire] = c;
                return true;
            }
        }
        return false;
    }

    /** Wires that are left over go to the partner with the most to spare. */
    private void share(List<RailCandidate> taken) {
        double[] serverLoad = new double[256];
        double[] clientLoad = new double[256];
        for (RailCandidate c : taken) {
            load(c, serverLoad, clientLoad);
        }
        for (RailCandidate first : pairs) {
            if (serverLoad[serverWire(first)] == 0) {
                taken.add(best(
                        pairs.stream()
                                .filter(c -> serverWire(c) == serverWire(first))
                                .toList(),
                        clientLoad,
                        false));
                load(taken.getLast(), serverLoad, clientLoad);
            }
            if (clientLoad[clientWire(first)] == 0) {
                taken.add(best(
                        pairs.stream()
                                .filter(c -> clientWire(c) == clientWire(first))
                                .toList(),
                        serverLoad,
                        true));
                load(taken.getLast(), serverLoad, clientLoad);
            }
        }
    }

    private void load(RailCandidate c, double[] serverLoad, double[] clientLoad) {
        double carries = Math.min(
                speed(server.get(c.rail().server())), speed(client.get(c.rail().client())));
        serverLoad[serverWire(c)] += carries;
        clientLoad[clientWire(c)] += carries;
    }

    /** A NIC that does not tell its speed counts as one of the usual kind. */
    private static double speed(RemoteNic nic) {
        return nic.bitsPerSecond() == 0 ? 1e10 : nic.bitsPerSecond();
    }

    /** The first of those whose far end has the most speed to spare. @param atServer whether the far end is the server's */
    private RailCandidate best(List<RailCandidate> of, double[] load, boolean atServer) {
        RailCandidate best = of.getFirst();
        double most = Double.NEGATIVE_INFINITY;
        for (RailCandidate c : of) {
            double spare = atServer
                    ? speed(server.get(c.rail().server())) - load[serverWire(c)]
                    : speed(client.get(c.rail().client())) - load[clientWire(c)];
            if (spare > most) {
                most = spare;
                best = c;
            }
        }
        return best;
    }
}
