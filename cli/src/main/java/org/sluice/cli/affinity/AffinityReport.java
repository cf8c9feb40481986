package org.sluice.cli.affinity;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.CpuSet;
import org.sluice.linux.NumaNode;
import org.sluice.linux.OsThread;
import org.sluice.linux.ThreadPlacement;

/**
 * What {@code sluice affinity --json} prints.
 *
 * @param usable CPUs that the process was started with
 * @param asIsAsked whether every thread that asked for CPUs has exactly those
 * @param wrong threads whose mask leaves the NUMA node of their NIC or GPU, or is not what they asked for
 * @param unbound Sluice's and foreign threads that may run on every usable CPU
 */
public record AffinityReport(
        String usable, List<Numa> numaNodes, boolean asIsAsked, int wrong, int unbound, List<Row> threads) {
    public record Numa(int id, String cpus) {}

    /**
     * A thread.
     *
     * @param mask CPUs that the kernel lets it run on
     * @param boundBy who narrowed the mask: {@code tx bindings of eth1}, {@code NUMA node 1 of eth3}, {@code foreign code};
     *     null for one that is unbound
     * @param asked CPUs that it asked for; null when it did not ask
     * @param numaNodes nodes that its CPUs lie on
     * @param near the NUMA node of its NIC or GPU, -1 where unknown
     * @param verdict {@code ok}, {@code unbound}, {@code wrong NUMA node}, {@code not as asked}; {@code -} for threads that
     *     carry no data
     * @param why what it said about where it runs; empty for others
     */
    public record Row(
            int tid,
            String name,
            ThreadOwner owner,
            String mask,
            @Nullable String boundBy,
            @Nullable String asked,
            List<Integer> numaNodes,
            int near,
            int lastCpu,
            String verdict,
            String why) {}

    /** What a report is made from: what was there before the node and what is there now. */
    public record Evidence(
            CpuSet usable,
            List<NumaNode> nodes,
            Set<Integer> before,
            Set<String> javaNames,
            List<OsThread> now,
            Map<Integer, ThreadPlacement.Asked> asked) {}

    public static AffinityReport of(Evidence evidence) {
        List<Row> rows = new ArrayList<>();
        for (OsThread t : evidence.now()) {
            rows.add(row(evidence, t));
        }
        rows.sort(Comparator.comparing(Row::owner).thenComparing(Row::name).thenComparingInt(Row::tid));
        return new AffinityReport(
                evidence.usable().toString(),
                evidence.nodes().stream()
                        .map(n -> new Numa(n.id(), n.cpus().toString()))
                        .toList(),
                rows.stream().noneMatch(r -> r.asked() != null && !r.asked().equals(r.mask())),
                count(rows, "wrong NUMA node") + count(rows, "not as asked"),
                count(rows, "unbound"),
                rows);
    }

    private static int count(List<Row> rows, String verdict) {
        return (int) rows.stream().filter(r -> r.verdict().equals(verdict)).count();
    }

    private static Row row(Evidence e, OsThread t) {
        ThreadPlacement.Asked asked = e.asked().get(t.tid());
        ThreadOwner owner = asked != null ? ThreadOwner.SLUICE : owner(e, t);
        boolean narrowed = !e.usable().within(t.mask());
        String boundBy = null;
        if (narrowed) {
            boundBy = asked != null && asked.cpus() != null
                    ? asked.reason()
                    : owner == ThreadOwner.FOREIGN ? "foreign code" : "its maker's mask";
        } else if (asked != null && asked.cpus() != null) {
            boundBy = asked.reason(); // what was asked for is every usable CPU
        }
        int near = asked == null ? -1 : asked.near();
        return new Row(
                t.tid(),
                asked != null ? asked.thread() : t.name(),
                owner,
                t.mask().toString(),
                boundBy,
                asked == null || asked.cpus() == null ? null : asked.cpus().toString(),
                e.nodes().stream()
                        .filter(n -> !n.cpus().and(t.mask()).isEmpty())
                        .map(NumaNode::id)
                        .toList(),
                near,
                t.lastCpu(),
                verdict(e, t, owner, asked, boundBy != null),
                asked == null ? "" : asked.reason());
    }

    private static ThreadOwner owner(Evidence e, OsThread t) {
        if (e.javaNames().contains(t.name())) {
            return ThreadOwner.JAVA;
        }
        return e.before().contains(t.tid()) || JvmThreads.isNamedLikeOne(t.name())
                ? ThreadOwner.JVM
                : ThreadOwner.FOREIGN;
    }

    private static String verdict(
            Evidence e, OsThread t, ThreadOwner owner, ThreadPlacement.@Nullable Asked asked, boolean bound) {
        if (owner == ThreadOwner.JVM || owner == ThreadOwner.JAVA) {
            return "-";
        }
        if (asked != null && asked.cpus() != null && !asked.cpus().equals(t.mask())) {
            return "not as asked";
        }
        CpuSet near = asked == null ? CpuSet.NONE : NumaNode.cpus(e.nodes(), asked.near());
        if (!near.isEmpty() && !t.mask().within(near) && !near.and(e.usable()).isEmpty()) {
            return "wrong NUMA node";
        }
        return bound ? "ok" : "unbound";
    }
}
