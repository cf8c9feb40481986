package org.sluice.cli;

import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.sluice.linux.NetCounters;

/** What the kernel counted on each network device since a moment. */
final class KernelTraffic {
    private final Map<String, NetCounters> before = read();

    private static Map<String, NetCounters> read() {
        try {
            return NetCounters.readAll();
        } catch (IOException e) {
            LoggerFactory.getLogger(KernelTraffic.class).warn("no kernel counters: {}", e.toString());
            return Map.of();
        }
    }

    /** By device, since this was made. A device that came or went meanwhile is left out. */
    Map<String, NetCounters> since() {
        Map<String, NetCounters> now = read();
        now.keySet().retainAll(before.keySet());
        now.replaceAll((device, counters) -> minus(counters, before.get(device)));
        return now;
    }

    private static NetCounters minus(NetCounters now, @Nullable NetCounters earlier) {
        return earlier == null ? now : now.minus(earlier);
    }
}
