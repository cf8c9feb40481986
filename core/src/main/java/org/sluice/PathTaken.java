package org.sluice;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Which way the bytes go, and why not a better one.
 *
 * @param transport of the links; several with a comma, where they go different ways
 * @param nics of this side that have channels, of those that are there
 * @param nicsThere that the transport has
 * @param memory {@code host} where GPUs are plain memory, else the backend
 * @param why it was chosen, where there was a choice; one sentence each
 * @param notBetter a sentence for each thing that would have been better
 */
public record PathTaken(
        String transport,
        List<String> nics,
        List<String> nicsThere,
        String memory,
        List<String> why,
        List<String> notBetter) {
    public PathTaken {
        nics = List.copyOf(nics);
        nicsThere = List.copyOf(nicsThere);
        why = List.copyOf(why);
        notBetter = List.copyOf(notBetter);
    }

    /** The way of these links of a node, now. */
    public static PathTaken of(Node node, List<? extends Link> links) {
        TreeSet<String> used = new TreeSet<>();
        TreeSet<String> transports = new TreeSet<>();
        TreeSet<String> reasons = new TreeSet<>();
        for (Link l : links) {
            transports.add(l.path().transport());
            if (!l.path().why().isEmpty()) {
                reasons.add(l.path().why());
            }
            l.channels().stream().map(ChannelStats::nic).forEach(used::add);
        }
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
        used.retainAll(there);
        return new PathTaken(
                String.join(", ", transports),
                List.copyOf(used),
                there,
                node.backend(),
                List.copyOf(reasons),
                List.copyOf(why));
    }

    /** One line. */
    public String text() {
        return "path: " + transport + " over " + nics.size() + " of " + nicsThere.size() + " NICs ("
                + String.join(", ", nics) + "), " + memory + " memory"
                + (why.isEmpty() ? "" : "; " + String.join("; ", why))
                + (notBetter.isEmpty() ? "" : "; " + String.join("; ", notBetter));
    }
}
