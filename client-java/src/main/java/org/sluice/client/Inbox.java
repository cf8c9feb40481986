package org.sluice.client;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Notifications that have come and were not taken yet, whichever daemon brought them. Any thread. */
final class Inbox {
    private final BlockingQueue<Notification> notes = new LinkedBlockingQueue<>();
    private final AtomicLong lost = new AtomicLong();

    void add(Notification note) {
        notes.add(note);
    }

    /** So many more came than the daemon could keep. */
    void addLost(long more) {
        lost.addAndGet(more);
    }

    /** The next one; null when none came in time. Waits. */
    @Nullable Notification next(Duration atMost) throws InterruptedException {
        return notes.poll(atMost.toNanos(), TimeUnit.NANOSECONDS);
    }

    long lost() {
        return lost.get();
    }
}
