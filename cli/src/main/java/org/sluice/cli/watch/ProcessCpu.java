package org.sluice.cli.watch;

import java.io.IOException;
import java.time.Duration;
import java.util.regex.Pattern;
import org.sluice.linux.ThreadTimes;

/** CPU time of this process, and of those of its threads that move bytes, as the kernel accounts it. */
final class ProcessCpu {
    /** Agents ({@code gpu3-agent}) and the transport's threads ({@code eth1-rx-0}), in the kernel's 15 characters. */
    private static final Pattern MOVES_BYTES = Pattern.compile("gpu\\d+-agent|.*-(tx|rx)-.*");

    private ProcessCpu() {}

    /** Seconds of the whole process, threads that have ended included. */
    static double all() {
        return ProcessHandle.current()
                        .info()
                        .totalCpuDuration()
                        .orElse(Duration.ZERO)
                        .toMillis()
                / 1e3;
    }

    /** Seconds of the threads that move bytes and are alive; 0 where the kernel does not tell. */
    static double moving() {
        try {
            return ThreadTimes.ofThisProcess().stream()
                            .filter(t -> MOVES_BYTES.matcher(t.name()).matches())
                            .mapToLong(ThreadTimes::cpuNanos)
                            .sum()
                    / 1e9;
        } catch (IOException e) {
            return 0;
        }
    }
}
