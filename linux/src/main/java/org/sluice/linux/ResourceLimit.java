package org.sluice.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The soft limit of a resource of this process, from {@code /proc/self/limits}. */
public enum ResourceLimit {
    /** Bytes that may be locked in memory, which pinning buffers takes. */
    LOCKED_MEMORY("Max locked memory"),
    /** Descriptors that may be open. */
    OPEN_FILES("Max open files"),
    /** Threads of this user. */
    PROCESSES("Max processes");

    private final String label;

    ResourceLimit(String label) {
        this.label = label;
    }

    /** The limit now; {@link Long#MAX_VALUE} for none. */
    public long soft() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
            if (line.startsWith(label)) {
                String soft = line.substring(label.length()).strip().split("\\s+", -1)[0];
                return soft.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(soft);
            }
        }
        throw new IOException("/proc/self/limits does not tell \"" + label + "\"");
    }
}
