package org.sluice.cli.common;

import java.util.Map;

/** What the commands exit with; README.md has the same list. */
public final class ExitCode {
    public static final int OK = 0;
    public static final int INTERNAL = 1;
    public static final int USAGE = 2;
    public static final int CONFIGURATION = 3;
    public static final int LINK = 4;
    public static final int MISMATCH = 5;
    public static final int INVALID = 6;

    /** The result is not where it should be: stdout is full or closed. */
    public static final int UNWRITTEN = 7;

    /** As shells report a process that SIGINT ended: 128 + 2. */
    public static final int INTERRUPTED = 130;

    private static final Map<Integer, String> NAMES = Map.of(
            OK, "ok",
            INTERNAL, "internal",
            USAGE, "usage",
            CONFIGURATION, "configuration",
            LINK, "link",
            MISMATCH, "mismatch",
            INVALID, "invalid",
            UNWRITTEN, "unwritten",
            INTERRUPTED, "interrupted");

    private ExitCode() {}

    /** As documents name a status. */
    public static String name(int status) {
        return NAMES.getOrDefault(status, "status-" + status);
    }
}
