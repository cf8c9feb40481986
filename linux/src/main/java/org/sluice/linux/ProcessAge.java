package org.sluice.linux;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How old this process is, to the kernel's 10 ms. The JDK's {@link ProcessHandle.Info#startInstant} counts from {@code btime} of
 * {@code /proc/stat}, which is whole seconds, and so can be a second off.
 */
public final class ProcessAge {
    private ProcessAge() {}

    /** Since the process was forked, a launcher's own time before it became this program included. */
    public static Duration now() throws IOException {
        return of(Sysfs.PROCFS.text("uptime"), Sysfs.PROCFS.text("self/stat"));
    }

    static Duration of(@Nullable String uptime, @Nullable String stat) throws IOException {
        if (uptime == null || stat == null) {
            throw new IOException("/proc/uptime and /proc/self/stat cannot be read");
        }
        try {
            double up = Double.parseDouble(uptime.split(" ", -1)[0]);
            long start = ProcStat.parse(stat).startTicks() * 1000 / ProcStat.TICKS_PER_SECOND;
            return Duration.ofMillis(Math.max(0, Math.round(up * 1000) - start));
        } catch (IOException | RuntimeException e) {
            throw new IOException("/proc says '" + uptime + "' and '" + stat + "', from which no age can be told", e);
        }
    }
}
