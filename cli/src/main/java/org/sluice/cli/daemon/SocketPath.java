package org.sluice.cli.daemon;

import java.nio.file.Path;
import java.util.Map;

/** Where a daemon is found when nobody says where. The clients know the same rule. */
final class SocketPath {
    private SocketPath() {}

    /** {@code $SLUICE_SOCKET}, else under {@code $XDG_RUNTIME_DIR}, else under {@code /run}. */
    static Path usual(Map<String, String> environment) {
        String told = environment.getOrDefault("SLUICE_SOCKET", "");
        if (!told.isEmpty()) {
            return Path.of(told);
        }
        String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
        return Path.of(runtime.isEmpty() ? "/run" : runtime, "sluice", "daemon");
    }
}
