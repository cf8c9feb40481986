package org.sluice.linux;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * CPU time of a thread of this process, those of native libraries included, from {@code /proc/self/task}.
 *
 * @param id the kernel's
 * @param name at most 15 characters, as {@code top -H} shows it
 * @param cpuNanos user and system time, to the kernel's 10 ms
 */
public record ThreadTimes(int id, String name, long cpuNanos) {
    private static final Path FOLDER = Path.of("/proc/self/task");

    private static final long TICK_NANOS = 1_000_000_000 / ProcStat.TICKS_PER_SECOND;

    /** Of every thread that is alive. */
    public static List<ThreadTimes> ofThisProcess() throws IOException {
        List<ThreadTimes> all = new ArrayList<>();
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(FOLDER)) {
            for (Path task : tasks) {
                try {
                    all.add(parse(Files.readString(task.resolve("stat"))));
                } catch (NoSuchFileException e) {
                    // it has ended meanwhile
                } catch (IOException e) {
                    if (Files.exists(task)) {
                        throw e;
                    }
                }
            }
        }
        return all;
    }

    static ThreadTimes parse(String stat) throws IOException {
        ProcStat s = ProcStat.parse(stat);
        return new ThreadTimes(s.id(), s.name(), s.cpuTicks() * TICK_NANOS);
    }
}
