package org.sluice.cli.doctor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.sluice.cli.plan.JobCost;
import org.sluice.cli.plan.JobPlan;
import org.sluice.linux.CpuAffinity;
import org.sluice.linux.ResourceLimit;

/** Limits of the process. */
final class LimitsCheck implements Check {
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
        JobCost cost = JobCost.of(plan, CpuAffinity.process().size());
        long files = ResourceLimit.OPEN_FILES.soft();
        if (files < cost.files()) {
            findings.add(Finding.problem(
                    name(),
                    "open files",
                    "at most " + files + " descriptors, " + plan.gpus() + " GPUs with " + plan.channels()
                            + " channels take " + cost.files(),
                    "raise it: ulimit -n " + cost.files()));
        } else {
            findings.add(Finding.ok(name(), "open files", files == Long.MAX_VALUE ? "unlimited" : "at most " + files));
        }
        long locked = ResourceLimit.LOCKED_MEMORY.soft();
        long wanted = cost.sockets() * LOCKED_BYTES_PER_SOCKET;
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
