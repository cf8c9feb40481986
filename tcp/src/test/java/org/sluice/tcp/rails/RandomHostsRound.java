package org.sluice.tcp.rails;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.sluice.testkit.Lab;

/**
 * One pair of random hosts and what became of a link between them.
 *
 * @param hosts what was made
 * @param reaching pairs of NICs that reach each other, by the C program
 * @param pair what Sluice did
 */
record RandomHostsRound(RandomHosts hosts, Set<String> reaching, LinkedPair pair) {
    static RandomHostsRound run(long seed, Path reach) throws Exception {
        try (Lab lab = Lab.up("hosts")) {
            RandomHosts hosts = RandomHosts.make(lab, seed);
            Set<String> reaching = Reach.of(lab, reach, hosts.server(), hosts.client());
            return new RandomHostsRound(hosts, reaching, LinkedPair.run(lab, RandomHosts.SERVER, List.of(), List.of()));
        }
    }

    private Set<String> reaching(boolean ofServer) {
        return reaching.stream()
                .map(p -> p.split(" ", -1)[ofServer ? 1 : 0])
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private Set<String> used(boolean ofServer) {
        return pair.rails().stream()
                .map(p -> p.split(" ", -1)[ofServer ? 1 : 0])
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** NICs that reach the peer and carry nothing. */
    Set<String> missed() {
        Set<String> missed = new TreeSet<>();
        for (boolean ofServer : new boolean[] {true, false}) {
            Set<String> of = reaching(ofServer);
            of.removeAll(used(ofServer));
            of.forEach(n -> missed.add((ofServer ? "server " : "client ") + n));
        }
        return missed;
    }

    /** NICs that carry nothing and of which nothing is said. */
    Set<String> silent() {
        Set<String> silent = new TreeSet<>();
        for (boolean ofServer : new boolean[] {true, false}) {
            Set<String> all = new TreeSet<>(ofServer ? hosts.server() : hosts.client());
            all.removeAll(used(ofServer));
            for (String line : pair.leftOut(ofServer)) {
                all.remove(line.split(" ", 2)[0]);
            }
            all.forEach(n -> silent.add((ofServer ? "server " : "client ") + n));
        }
        return silent;
    }

    /** Empty where all is well. */
    String complaint() {
        if (!pair.isRight()) {
            return "no link, or wrong bytes: " + pair.failure();
        }
        return silent().isEmpty() ? "" : "carry nothing, in silence: " + silent();
    }

    @Override
    public String toString() {
        return hosts.text() + "\n  reach each other: " + reaching + "\n  used: " + pair.rails() + "\n  left out: "
                + pair.leftOut(true) + " / " + pair.leftOut(false);
    }
}
