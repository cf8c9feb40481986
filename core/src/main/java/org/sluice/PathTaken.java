package org.sluice;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Which way the bytes go, and why not a better one.
 *
 * @param nics of this side that have channels, of those that are there
 * @param nicsThere that the transport has
 * @param memory {@code host} where GPUs are plain memory, else the backend
 * @param notBetter a sentence for each thing that would have been better
 */
public record PathTaken(
        String transport, List<String> nics, List<String> nicsThere, String memory, List<String> notBetter) {
    public PathTaken {
        nics = List.copyOf(nics);
        nicsThere = List.copyOf(nicsThere);
        notBetter = List.copyOf(notBetter);
    }

    /** The way of these links of a node, now. */
    public static PathTaken of(Node node, List<? extends Link> links) {
        TreeSet<String> used = new TreeSet<>();
        links.forEach(l -> l.channels().stream().map(ChannelStats::nic).forEach(used::add));
        List<String> there = node.nics().stream().map(n -> n.name()).toList();
        List<String> why = new ArrayList<>();
        List<String> idle = there.stream().filter(n -> !used.contains(n)).toList();
        if (!idle.isEmpty()) {
            why.add(String.join(", ", idle)
                    + (idle.size() == 1 ? " has" : " have")
                    + " no channel: the peer has no NIC that it reaches, or there are too few channels");
        }
        node.nicsLeftOut().forEach(l -> why.add(l.nic() + " " + l.reason()));
        if (node.backend().equals("host")) {
            why.add("GPUs are plain memory: no CUDA device is used");
        }
        return new PathTaken(node.config().transport(), List.copyOf(used), there, node.backend(), List.copyOf(why));
    }

    /** One line. */
    public String text() {
        return "path: " + transport + " over " + nics.size() + " of " + nicsThere.size() + " NICs ("
                + String.join(", ", nics) + "), " + memory + " memory"
                + (notBetter.isEmpty() ? "" : "; " + String.join("; ", notBetter));
    }
}
