package org.sluice.cli.doctor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.sluice.linux.ResourceLimit;

/** Limits of the process. */
final class LimitsCheck implements Check {
    /** Descriptors of the JVM itself, the control connections and what a plugin opens besides its sockets. */
    private static final long OTHER_FILES = 256;

    /** Zero-copy sends of a plugin hold their pages against the limit: some chunks in flight on each socket. */
    private static final long LOCKED_BYTES_PER_SOCKET = 4L << 20;

    @Override
    public String name() {
        return "limits";
    }

    @Override
    public List<Finding> look(Patient patient) throws IOException {
        List<Finding> findings = new ArrayList<>();
        JobPlan plan = patient.plan();
        // both directions, and a listener for each receiving channel while links are made
        long sockets = 2L * plan.gpus() * plan.channels() * (plan.sockets() + 1L);
        long files = ResourceLimit.OPEN_FILES.soft();
        if (files < sockets + OTHER_FILES) {
            findings.add(Finding.problem(
                    name(),
                    "open files",
                    "at most " + files + " descriptors, " + plan.gpus() + " GPUs with " + plan.channels()
                            + " channels take " + (sockets + OTHER_FILES),
                    "raise it: ulimit -n " + (sockets + OTHER_FILES)));
        } else {
            findings.add(Finding.ok(name(), "open files", files == Long.MAX_VALUE ? "unlimited" : "at most " + files));
        }
        long locked = ResourceLimit.LOCKED_MEMORY.soft();
        long wanted = sockets * LOCKED_BYTES_PER_SOCKET;
        if (plan.usesPlugin() && locked < wanted) {
            findings.add(Finding.warning(
                    name(),
                    "locked memory",
                    "at most " + (locked >> 10) + " KiB, a plugin's zero-copy sends may hold " + (wanted >> 10)
                            + " KiB",
                    "raise it: ulimit -l unlimited (in a container: --ulimit memlock=-1)"));
        } else {
            findings.add(Finding.ok(
                    name(),
                    "locked memory",
                    locked == Long.MAX_VALUE ? "unlimited" : "at most " + (locked >> 10) + " KiB"));
        }
        return findings;
    }
}
