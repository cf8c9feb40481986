package org.sluice.linux;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How much CPU time this process may have, where a control group bounds it: a process that has used its quota stands still until the
 * next period, all its threads at once, whatever CPUs are idle.
 *
 * @param cpus CPU seconds a second
 * @param group the control group that sets it
 */
public record CpuQuota(double cpus, Path group) {
    /** The tightest; empty where none is set. */
    public static Optional<CpuQuota> now() {
        return of(Path.of("/proc/self"));
    }

    /** @param self {@code /proc/self} of the process in question */
    static Optional<CpuQuota> of(Path self) {
        return ControlGroup.of(self, "cpu").stream()
                .flatMap(g -> g.cpus().stream().map(c -> new CpuQuota(c, g.folder())))
                .reduce((a, b) -> b.cpus < a.cpus ? b : a);
    }
}
