package org.sluice.cli;

/** What the commands exit with; README.md has the same list. */
final class ExitCode {
    static final int OK = 0;
    static final int INTERNAL = 1;
    static final int USAGE = 2;
    static final int CONFIGURATION = 3;
    static final int LINK = 4;
    static final int MISMATCH = 5;
    static final int INVALID = 6;

    /** As shells report a process that SIGINT ended: 128 + 2. */
    static final int INTERRUPTED = 130;

    private ExitCode() {}
}
