package org.sluice.linux;

import java.io.IOException;
import java.nio.file.Path;

/**
 * What bounds the number of threads of this process the most.
 *
 * @param most threads and processes; {@link Long#MAX_VALUE} where nothing is known to bound them
 * @param limit what sets that bound, as a message names it
 * @param remedy how to raise it
 */
public record ThreadRoom(long most, String limit, String remedy) {
    private static final Path SELF = Path.of("/proc/self");

    /** What the kernel says now. */
    public static ThreadRoom now() {
        ThreadRoom tightest = new ThreadRoom(
                Long.MAX_VALUE,
                "a limit that the kernel does not tell",
                "look at ulimit -u and the container's pids limit");
        try {
            long user = ResourceLimit.PROCESSES.soft();
            if (user < Long.MAX_VALUE) {
                tightest = new ThreadRoom(user, "ulimit -u allows the user " + user, "raise it: ulimit -u");
            }
        } catch (IOException e) {
            // the control groups may tell
        }
        for (ControlGroup g : ControlGroup.of(SELF, "pids")) {
            long most = g.mostThreads().orElse(Long.MAX_VALUE);
            if (most < tightest.most) {
                tightest = new ThreadRoom(
                        most,
                        "the control group " + g.folder() + " allows " + most
                                + g.threads().map(n -> ", " + n + " are in it").orElse(""),
                        "raise its pids limit (docker, podman: --pids-limit; systemd: TasksMax)");
            }
        }
        return tightest;
    }
}
