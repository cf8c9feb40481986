package org.sluice.cli.affinity;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/** The report for people: threads that carry data one by one, the JVM's and Java's other ones counted by mask. */
public final class AffinityTable {
    private AffinityTable() {}

    public static String of(AffinityReport report) {
        StringBuilder out = new StringBuilder();
        out.append("CPUs this process may use: ").append(report.usable()).append('\n');
        report.numaNodes()
                .forEach(n -> out.append("NUMA node ")
                        .append(n.id())
                        .append(": CPUs ")
                        .append(n.cpus())
                        .append('\n'));
        out.append('\n')
                .append("%7s  %-16s %-8s %-14s %-16s %s%n"
                        .formatted("tid", "thread", "owner", "mask", "verdict", "bound by"));
        Map<String, Integer> others = new LinkedHashMap<>();
        for (AffinityReport.Row r : report.threads()) {
            if (r.verdict().equals("-")) {
                others.merge(
                        r.owner().name().toLowerCase(Locale.ROOT) + " threads on CPUs " + r.mask(), 1, Integer::sum);
                continue;
            }
            out.append("%7d  %-16s %-8s %-14s %-16s %s%n"
                    .formatted(
                            r.tid(),
                            r.name(),
                            r.owner().name().toLowerCase(Locale.ROOT),
                            r.mask(),
                            r.verdict(),
                            Objects.requireNonNullElse(
                                    r.boundBy(), r.why().isEmpty() ? "nobody" : "nobody: " + r.why())));
        }
        out.append('\n');
        others.forEach((what, count) ->
                out.append("besides ").append(count).append(' ').append(what).append('\n'));
        out.append(
                        report.asIsAsked()
                                ? "every thread that asked has what it asked for"
                                : "some thread has not what it asked for")
                .append("; wrong: ")
                .append(report.wrong())
                .append(", unbound: ")
                .append(report.unbound())
                .append('\n');
        return out.toString();
    }
}
