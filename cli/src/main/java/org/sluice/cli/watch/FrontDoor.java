package org.sluice.cli.watch;

import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a process tells those who ask over HTTP, from its start to its end: what it is at and whom it waits for, and once it runs what
 * there is to be seen. Any thread.
 */
public final class FrontDoor implements AutoCloseable {
    private final Function<Record, String> json;
    private final @Nullable MetricsServer server;
    private volatile Waiting.Phase phase = new Waiting.Phase("opening", "", System.nanoTime());
    private volatile @Nullable Watch watch;

    /** @param address where it answers, empty for nowhere; @throws ConfigException when that is taken */
    public FrontDoor(Optional<MetricsAddress> address, Function<Record, String> json) {
        this.json = json;
        this.server = address.map(a -> new MetricsServer(a, this::document, this::metrics))
                .orElse(null);
    }

    /** Another phase begins. @param waitingFor whom; empty for nobody */
    public void phase(String name, String waitingFor) {
        phase = new Waiting.Phase(name, waitingFor, System.nanoTime());
    }

    /** From now on there is something to be seen. */
    public void show(Watch running) {
        watch = running;
    }

    private String document() {
        Watch w = watch;
        return json.apply(w == null ? phase.document() : w.picture());
    }

    private String metrics() {
        Watch w = watch;
        return phase.metrics() + (w == null ? "" : w.metrics());
    }

    @Override
    public void close() {
        if (server != null) {
            server.close();
        }
    }
}
