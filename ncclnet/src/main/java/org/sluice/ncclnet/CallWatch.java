package org.sluice.ncclnet;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks whether a call into the plugin does not come back. Nothing can end such a call. Where an agent made it, the GPU is gone with
 * it; where a {@link PluginService} did, it is left to itself. This says which call, where, and since when.
 */
final class CallWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CallWatch.class);

    private record Seen(long steps, long since, boolean reported) {}

    private final String plugin;
    private final Duration limit;
    private final Thread thread;
    private final Map<CallTrace, Seen> seen = new HashMap<>();

    /** @param limit the longest time that a call may take: none of a plugin's calls is meant to wait */
    CallWatch(String plugin, Duration limit) {
        this.plugin = plugin;
        this.limit = limit;
        this.thread = Thread.ofPlatform().name("nccl-net-watch").daemon(true).start(this::run);
    }

    private void run() {
        long pauseMillis = Math.max(1, limit.toMillis() / 4);
        try {
            while (true) {
                Thread.sleep(pauseMillis);
                long now = System.nanoTime();
                List<CallTrace> traces = ExitNotice.traces();
                seen.keySet().retainAll(traces);
                traces.forEach(t -> look(t, now));
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    private void look(CallTrace trace, long now) {
        long steps = trace.steps();
        Seen last = seen.get(trace);
        if (last == null || last.steps != steps) {
            seen.put(trace, new Seen(steps, now, false));
            return;
        }
        boolean inside = (steps & 1) == 1;
        if (inside && !last.reported && now - last.since >= limit.toNanos()) {
            seen.put(trace, new Seen(steps, last.since, true));
            log.error(
                    "{}: {} has been in {} for {} s; the plugin does not come back from that call{}",
                    plugin,
                    trace.thread(),
                    trace.text(),
                    (now - last.since) / 1_000_000_000.0,
                    trace.isAgents()
                            ? ", and nothing of this GPU moves until it does"
                            : ". It is left to itself, and the GPU's other channels go on; a plugin whose accept waits for"
                                    + " its peer (FastSocket) does so when the peer cannot connect");
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
