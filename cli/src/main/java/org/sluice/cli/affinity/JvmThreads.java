package org.sluice.cli.affinity;

import java.util.List;

/** Names of HotSpot's own threads, which come and go at any time. The kernel keeps 15 characters of a name. */
final class JvmThreads {
    private static final List<String> PREFIXES = List.of(
            "java",
            "GC Thread",
            "G1 ",
            "C1 Compiler",
            "C2 Compiler",
            "VM Thread",
            "VM Periodic",
            "Common-Cleaner",
            "Signal Dispatch",
            "Service Thread",
            "Monitor Deflati",
            "Notification Th",
            "Reference Handl",
            "Finalizer",
            "StringDedup",
            "Attach Listener",
            "JFR",
            "Jfr",
            "Read-Poller",
            "Write-Poller",
            "VirtualThread",
            "Unblocker");

    private JvmThreads() {}

    static boolean isNamedLikeOne(String name) {
        return PREFIXES.stream().anyMatch(name::startsWith);
    }
}
