package org.sluice.engine;

import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.Notification;
import org.sluice.SluiceException;
import org.sluice.spi.Threads;

/**
 * A link's notifications on their way from the agent to the program, in order: taken one by one, waited for, or told on a virtual
 * thread of their own, so that no program holds up the agent. Whoever takes one gives the peer credit for the next.
 */
final class Notifications {
    private static final Logger log = LoggerFactory.getLogger(Notifications.class);

    private final ArrayDeque<Notification> waiting = new ArrayDeque<>();
    private final ArrayDeque<CompletableFuture<Notification>> asked = new ArrayDeque<>();
    private @Nullable Consumer<Notification> program;
    private @Nullable SluiceException over;
    private boolean telling;
    private Consumer<byte[]> taken = bytes -> {};

    /** @param to told of each that leaves */
    synchronized void taken(Consumer<byte[]> to) {
        taken = to;
    }

    /** From the agent. */
    void add(Notification n) {
        CompletableFuture<Notification> first;
        synchronized (this) {
            first = asked.poll();
            if (first == null) {
                waiting.add(n);
                tell();
                return;
            }
        }
        taken.accept(n.bytes());
        first.completeAsync(() -> n); // what hangs on it is not the agent's business
    }

    Optional<Notification> poll() {
        Notification n;
        synchronized (this) {
            n = waiting.poll();
        }
        if (n != null) {
            taken.accept(n.bytes());
        }
        return Optional.ofNullable(n);
    }

    CompletableFuture<Notification> next() {
        Notification n;
        synchronized (this) {
            n = waiting.poll();
            if (n == null) {
                CompletableFuture<Notification> later = new CompletableFuture<>();
                if (over != null) {
                    later.completeExceptionally(over);
                } else {
                    asked.add(later);
                }
                return later;
            }
        }
        taken.accept(n.bytes());
        return CompletableFuture.completedFuture(n);
    }

    synchronized void listener(Consumer<Notification> to) {
        program = to;
        tell();
    }

    private void tell() {
        Consumer<Notification> to = program;
        if (to != null && !telling && !waiting.isEmpty()) {
            Threads.startVirtual("notifications", () -> run(to));
            telling = true;
        }
    }

    private void run(Consumer<Notification> to) {
        while (true) {
            Notification n;
            synchronized (this) {
                n = waiting.poll();
                if (n == null) {
                    telling = false;
                    return;
                }
            }
            taken.accept(n.bytes());
            try {
                to.accept(n);
            } catch (RuntimeException e) {
                log.warn("the program's listener for notifications failed: {}", e.toString());
            }
        }
    }

    /** The link has ended: what has come can still be taken. */
    void end(SluiceException why) {
        ArrayDeque<CompletableFuture<Notification>> left;
        synchronized (this) {
            over = why;
            left = new ArrayDeque<>(asked);
            asked.clear();
        }
        left.forEach(f -> f.completeExceptionally(why));
    }
}
