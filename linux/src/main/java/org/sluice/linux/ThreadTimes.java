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

    /** USER_HZ is 100 on every architecture this runs on. */
    private static final long TICK_NANOS = 10_000_000;

    /** Place of utime among the fields after the name, proc_pid_stat(5); stime follows. */
    private static final int UTIME = 11;

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

    /** A name may hold anything, parentheses and spaces too: it ends with the last parenthesis of the line. */
    static ThreadTimes parse(String stat) throws IOException {
        int open = stat.indexOf('(');
        int close = stat.lastIndexOf(')');
        String[] fields =
                close < 0 ? new String[0] : stat.substring(close + 1).strip().split(" ", -1);
        if (open < 0 || fields.length <= UTIME + 1) {
            throw new IOException("a stat of /proc/self/task has an unknown form: " + stat);
        }
        long ticks = Long.parseLong(fields[UTIME]) + Long.parseLong(fields[UTIME + 1]);
        return new ThreadTimes(
                Integer.parseInt(stat.substring(0, open).strip()), stat.substring(open + 1, close), ticks * TICK_NANOS);
    }
}
