package org.sluice.cli.common;

import java.util.List;

/** Rails of this machine alone, for running both sides on it. */
public final class LoopbackRails {
    /** The other side's host. */
    public static final String HOST = "127.0.0.1";

    /** The tcp transport's names for 127.0.0.1 to 127.0.0.4. */
    public static final List<String> NICS = List.of("lo1", "lo2", "lo3", "lo4");

    private LoopbackRails() {}
}
