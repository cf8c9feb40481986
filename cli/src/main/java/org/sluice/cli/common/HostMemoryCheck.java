package org.sluice.cli.common;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.sluice.ConfigException;

/** Host GPUs use the machine's memory: a run that does not fit is refused rather than killed by the kernel. */
public final class HostMemoryCheck {
    private static final Path FILE = Path.of("/proc/meminfo");

    private HostMemoryCheck() {}

    /** @param what who needs it, as the message names it */
    public static void needs(long bytes, String what) {
        long available = availableBytes();
        if (bytes > available) {
            throw new ConfigException(what + " need " + Bytes.text(bytes) + " of host memory, " + Bytes.text(available)
                    + " are available; give a smaller --size or fewer --gpus");
        }
    }

    /** What the kernel would give without swapping; where it does not say, there is no limit. */
    private static long availableBytes() {
        try {
            for (String line : Files.readAllLines(FILE)) {
                if (line.startsWith("MemAvailable:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) << 10;
                }
            }
        } catch (IOException e) {
            return Long.MAX_VALUE;
        }
        return Long.MAX_VALUE;
    }
}
