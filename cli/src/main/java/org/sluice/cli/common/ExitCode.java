package org.sluice.cli.common;

/** What the commands exit with; README.md has the same list. */
public final class ExitCode {
    public static final int OK = 0;
    public static final int INTERNAL = 1;
    public static final int USAGE = 2;
    public static final int CONFIGURATION = 3;
    public static final int LINK = 4;
    public static final int MISMATCH = 5;
    public static final int INVALID = 6;

    /** As shells report a process that SIGINT ended: 128 + 2. */
    public static final int INTERRUPTED = 130;

    private ExitCode() {}
}
