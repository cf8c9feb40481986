package org.sluice;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a node is not to do without: a link that would be slower than that in silence is an error instead, with the reason.
 *
 * @param leastNics how many NICs of this side must carry each link; 0 where any number will do
 * @param nics those that must carry each link; empty where any will do
 * @param transport the only one that will do; empty where any will
 * @param leastGbPerSecond payload of all links together, both directions, while transfers that this side asked for are under way, in 10^9
 *     bytes a second; 0 where any rate will do. A rate below it for two seconds is logged, recorded and told by
 *     {@link Node#isBelowLeastRate}
 */
public record Requirements(int leastNics, List<String> nics, Optional<String> transport, double leastGbPerSecond) {
    /** Anything will do. */
    public static final Requirements NONE = new Requirements(0, List.of(), Optional.empty(), 0);

    /** @throws ConfigException when a number is negative, or the rate is none */
    public Requirements {
        nics = List.copyOf(nics);
        if (leastNics < 0 || !(leastGbPerSecond >= 0)) {
            throw new ConfigException("requirements: " + leastNics + " NICs and " + leastGbPerSecond
                    + " GB/s; give numbers that are not negative");
        }
    }

    /** Before anything is opened. @param chosen as {@link NodeConfig.Network#transport} @throws ConfigException when it can only be another */
    public void check(String chosen) {
        List<String> named = List.of(chosen.split(",", -1));
        transport
                .filter(t -> !named.contains(t) && !named.contains(NodeConfig.AUTO))
                .ifPresent(t -> {
                    throw new ConfigException("transport " + t + " is required and this node is over " + chosen);
                });
    }

    /** What a path lacks, with those NICs that are not used and why; empty where nothing. */
    public Optional<String> unmetBy(PathTaken path) {
        if (transport.isPresent() && !transport.get().equals(path.transport())) {
            return Optional.of("transport " + transport.get() + " is required, and the links go over "
                    + path.transport() + (path.why().isEmpty() ? "" : "; " + String.join("; ", path.why())));
        }
        List<String> missing = new ArrayList<>(nics);
        missing.removeAll(path.nics());
        String why = path.notBetter().isEmpty()
                ? "; look at the peer's NICs, and what 'sluice doctor --peer' says of the way there"
                : "; " + String.join("; ", path.notBetter());
        if (path.nics().size() < leastNics) {
            return Optional.of(leastNics + " NICs are required, and the links use "
                    + path.nics().size() + " (" + String.join(", ", path.nics()) + ")" + why);
        }
        return missing.isEmpty()
                ? Optional.empty()
                : Optional.of(String.join(", ", missing) + (missing.size() == 1 ? " is" : " are")
                        + " required, and the links do not use " + (missing.size() == 1 ? "it" : "them") + why);
    }
}
