package org.sluice.cli.doctor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.sluice.cli.common.Bytes;
import org.sluice.cli.plan.JobCost;
import org.sluice.cli.plan.JobPlan;
import org.sluice.linux.CpuAffinity;
import org.sluice.linux.CpuQuota;
import org.sluice.linux.MemoryRoom;
import org.sluice.linux.ThreadRoom;

/** What control groups and limits leave of memory, threads and CPU time. */
final class GroupCheck implements Check {
    /** The JVM's own, and pinned staging. */
    private static final long OTHER_BYTES = 512L << 20;

    @Override
    public String name() {
        return "cgroup";
    }

    @Override
    public List<Finding> look(Patient patient) throws IOException {
        return judge(
                patient.plan(),
                MemoryRoom.now(),
                ThreadRoom.now(),
                CpuQuota.now(),
                CpuAffinity.process().size());
    }

    /** @param usable CPUs of this process */
    List<Finding> judge(JobPlan plan, MemoryRoom memory, ThreadRoom threads, Optional<CpuQuota> quota, int usable) {
        List<Finding> findings = new ArrayList<>();
        memory(findings, plan, memory);
        threads(findings, plan, threads, usable);
        quota.ifPresent(q -> quota(findings, q, usable));
        return findings;
    }

    private void memory(List<Finding> findings, JobPlan plan, MemoryRoom room) {
        long wanted = plan.gpus() * plan.sizeBytes();
        if (!plan.backend().equals("cuda") && wanted + OTHER_BYTES > room.bytes()) {
            findings.add(
                    Finding.problem(
                            name(),
                            "memory",
                            plan.gpus() + " host GPUs of " + Bytes.text(plan.sizeBytes()) + " do not fit: "
                                    + Bytes.text(room.bytes()) + " is what " + room.limit(),
                            "give a smaller --size or fewer --gpus, or raise the limit (docker: --memory; Kubernetes: limits.memory)"));
        } else {
            findings.add(Finding.ok(name(), "memory", Bytes.text(room.bytes()) + " is what " + room.limit()));
        }
    }

    private void threads(List<Finding> findings, JobPlan plan, ThreadRoom room, int usable) {
        long wanted = JobCost.of(plan, usable).threads();
        if (room.most() < wanted) {
            findings.add(Finding.problem(
                    name(),
                    "threads",
                    room.limit() + "; " + plan.gpus() + " GPUs with " + plan.channels() + " channels may need "
                            + wanted,
                    room.remedy()));
        } else {
            findings.add(Finding.ok(
                    name(), "threads", room.most() == Long.MAX_VALUE ? "no limit is known" : "at most " + room.most()));
        }
    }

    private void quota(List<Finding> findings, CpuQuota quota, int usable) {
        String found = String.format(
                Locale.ROOT, "the control group %s allows %.1f CPUs of %d", quota.group(), quota.cpus(), usable);
        if (quota.cpus() < usable) {
            findings.add(Finding.warning(
                    name(),
                    "CPU time",
                    found + ": once they are used up every thread stands still until the next period",
                    "bind the container to CPUs instead of a quota (docker: --cpuset-cpus; Kubernetes: the static CPU"
                            + " manager, or no limits.cpu)"));
        } else {
            findings.add(Finding.ok(name(), "CPU time", found));
        }
    }
}
