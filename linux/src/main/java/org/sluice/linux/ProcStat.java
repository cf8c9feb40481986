package org.sluice.linux;

import java.io.IOException;

/**
 * A {@code stat} line of a process or a thread, proc_pid_stat(5).
 *
 * @param id the kernel's
 * @param name at most 15 characters
 * @param fields what follows the name
 */
record ProcStat(int id, String name, String[] fields) {
    /** USER_HZ is 100 on every architecture this runs on. */
    static final int TICKS_PER_SECOND = 100;

    /** Places of these among the fields; stime follows utime. */
    private static final int UTIME = 11;

    private static final int STARTTIME = 19;

    /** A name may hold anything, parentheses and spaces too: it ends with the last parenthesis of the line. */
    static ProcStat parse(String line) throws IOException {
        int open = line.indexOf('(');
        int close = line.lastIndexOf(')');
        String[] fields =
                close < 0 ? new String[0] : line.substring(close + 1).strip().split(" ", -1);
        if (open < 0 || fields.length <= STARTTIME) {
            throw new IOException("a stat of /proc has an unknown form: " + line);
        }
        return new ProcStat(Integer.parseInt(line.substring(0, open).strip()), line.substring(open + 1, close), fields);
    }

    /** User and system time. */
    long cpuTicks() {
        return Long.parseLong(fields[UTIME]) + Long.parseLong(fields[UTIME + 1]);
    }

    /** When it began, since the machine did. */
    long startTicks() {
        return Long.parseLong(fields[STARTTIME]);
    }
}
