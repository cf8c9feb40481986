package org.sluice.engine;

import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.Link;
import org.sluice.spi.Threads;

/**
 * Links that other nodes made, on their way to the program: told one after the other on a virtual thread, which lives while there
 * is something to tell. What comes before the program listens is kept.
 */
final class IncomingLinks {
    private static final Logger log = LoggerFactory.getLogger(IncomingLinks.class);

    private final ArrayDeque<Link> untold = new ArrayDeque<>();
    private @Nullable Consumer<Link> program;
    private boolean telling;

    synchronized void listener(Consumer<Link> to) {
        program = to;
        tell();
    }

    synchronized void add(Link link) {
        untold.add(link);
        tell();
    }

    private void tell() {
        Consumer<Link> to = program;
        if (to != null && !telling && !untold.isEmpty()) {
            Threads.startVirtual("incoming-links", () -> run(to));
            telling = true;
        }
    }

    private void run(Consumer<Link> to) {
        for (Link link = next(); link != null; link = next()) {
            try {
                to.accept(link);
            } catch (RuntimeException | Error e) {
                log.warn("the program's listener for links failed on the one of {}: {}", link.peer(), e.toString());
            }
        }
    }

    private synchronized @Nullable Link next() {
        Link link = untold.poll();
        telling = link != null;
        return link;
    }
}
