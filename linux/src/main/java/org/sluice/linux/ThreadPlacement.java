package org.sluice.linux;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts threads on the CPUs where their NIC or GPU is near: by the user's {@link Bindings} where there is one for the NIC, else
 * by NUMA node unless that is turned off. A thread calls it first thing, about itself.
 *
 * <p>What was asked for is kept for the whole process, as the kernel keeps what it got: {@link #asked()} beside
 * {@link CpuAffinity#threads()} shows whether they agree.
 */
public final class ThreadPlacement {
    private static final Logger log = LoggerFactory.getLogger(ThreadPlacement.class);

    /** From so many entries on, each new one clears out those of threads that have ended. */
    private static final int PRUNE_AT = 1024;

    private static final Map<Integer, Asked> ASKED = new ConcurrentHashMap<>();

    private final boolean byTopology;
    private final Bindings transmit;
    private final Bindings receive;
    private final List<NumaNode> nodes;
    private final CpuSet usable;

    /**
     * What a thread asked for when it began.
     *
     * @param thread its full name
     * @param cpus what it asked for; null when it was left where it was
     * @param near the NUMA node of its NIC or GPU, -1 where unknown
     * @param reason who wanted it so: {@code --tx-bindings eth1}, {@code NUMA node 1 of eth3}
     */
    public record Asked(String thread, @Nullable CpuSet cpus, int near, String reason) {}

    private ThreadPlacement(
            boolean byTopology, Bindings transmit, Bindings receive, List<NumaNode> nodes, CpuSet usable) {
        this.byTopology = byTopology;
        this.transmit = transmit;
        this.receive = receive;
        this.nodes = nodes;
        this.usable = usable;
    }

    /**
     * A placement for this machine.
     *
     * @param affinity {@code auto}: by NUMA node where no binding says otherwise; {@code off}: by bindings alone
     * @param transmit bindings of sending threads, in the syntax of {@link Bindings}; empty for none
     * @param receive likewise of receiving threads
     * @throws IllegalArgumentException naming the setting: it is malformed, with the position, or asks for CPUs that this
     *     process may not use
     */
    public static ThreadPlacement of(String affinity, String transmit, String receive) throws LinuxException {
        if (!affinity.equals("auto") && !affinity.equals("off")) {
            throw new IllegalArgumentException("affinity is auto or off, not '" + affinity + "'");
        }
        CpuSet usable = CpuAffinity.process();
        return new ThreadPlacement(
                affinity.equals("auto"),
                bindings("tx bindings", transmit, usable),
                bindings("rx bindings", receive, usable),
                NumaNode.list(Sysfs.SYSTEM),
                usable);
    }

    private static Bindings bindings(String what, String text, CpuSet usable) {
        Bindings bindings;
        try {
            bindings = Bindings.parse(text);
        } catch (CpuListException e) {
            throw new IllegalArgumentException(what + " " + e.getMessage(), e);
        }
        bindings.byNic().forEach((nic, cpus) -> {
            if (!cpus.within(usable)) {
                throw new IllegalArgumentException(what + " of " + nic + ": CPUs " + cpus.minus(usable)
                        + " are not among those this process may use, " + usable);
            }
        });
        return bindings;
    }

    /** The calling thread sends on a NIC. @param numaNode the NIC's, -1 where unknown */
    public void transmitsOn(String nic, int numaNode) {
        onNic("tx bindings of ", transmit.byNic().get(nic), nic, numaNode);
    }

    /** The calling thread receives on a NIC. @param numaNode the NIC's, -1 where unknown */
    public void receivesOn(String nic, int numaNode) {
        onNic("rx bindings of ", receive.byNic().get(nic), nic, numaNode);
    }

    /** The calling thread works for a GPU. @param numaNode the GPU's, -1 where unknown */
    public void worksFor(int gpu, int numaNode) {
        near("GPU " + gpu, numaNode);
    }

    private void onNic(String setting, @Nullable CpuSet bound, String nic, int numaNode) {
        if (bound != null) {
            bind(bound, numaNode, setting + nic);
        } else {
            near(nic, numaNode);
        }
    }

    private void near(String what, int numaNode) {
        CpuSet cpus = NumaNode.cpus(nodes, numaNode);
        if (!byTopology) {
            leave(numaNode, "affinity is off");
        } else if (cpus.isEmpty()) {
            leave(numaNode, "the NUMA node of " + what + " is unknown");
        } else if (cpus.and(usable).isEmpty()) {
            leave(numaNode, "NUMA node " + numaNode + " of " + what + " has no CPU that this process may use");
        } else {
            bind(cpus.and(usable), numaNode, "NUMA node " + numaNode + " of " + what);
        }
    }

    /** A new thread has the mask of the one that made it, and keeps it here. */
    private static void leave(int numaNode, String reason) {
        keep(new Asked(Thread.currentThread().getName(), null, numaNode, reason));
    }

    /** A thread that cannot be bound runs on: slower perhaps, and {@code sluice affinity} tells. */
    private static void bind(CpuSet cpus, int numaNode, String reason) {
        try {
            CpuAffinity.set(0, cpus);
            keep(new Asked(Thread.currentThread().getName(), cpus, numaNode, reason));
        } catch (LinuxException e) {
            log.warn("{}: {}: {}", Thread.currentThread().getName(), reason, e.getMessage());
            leave(numaNode, reason + ": " + e.getMessage());
        }
    }

    private static void keep(Asked asked) {
        if (ASKED.size() >= PRUNE_AT) {
            ASKED.keySet().removeIf(tid -> !CpuAffinity.isThread(tid));
        }
        ASKED.put(CpuAffinity.currentTid(), asked);
    }

    /**
     * What each thread of this process asked for, by the kernel's thread id. A thread that has ended may still be here: look up
     * ids that {@link CpuAffinity#threads()} gave.
     */
    public static Map<Integer, Asked> asked() {
        return Map.copyOf(ASKED);
    }
}
