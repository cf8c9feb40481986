package org.sluice.transfer;

import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The transfers that have a deadline, the next one first. Belongs to the agent. */
final class Deadlines {
    private record Due(long at, ChunkedTransfer transfer) {}

    private final PriorityQueue<Due> due = new PriorityQueue<>(Comparator.comparingLong(Due::at));

    /** @param now {@link System#nanoTime}; @param fromNow null for none */
    void add(ChunkedTransfer transfer, @Nullable Duration fromNow, long now) {
        if (fromNow != null) {
            due.add(new Due(now + Math.min(fromNow.toNanos(), Long.MAX_VALUE / 4), transfer));
        }
    }

    /** Tells of each transfer whose deadline has passed, whether it has ended or not. */
    void passed(long now, Consumer<ChunkedTransfer> to) {
        for (Due next = due.peek(); next != null && next.at - now <= 0; next = due.peek()) {
            due.remove();
            to.accept(next.transfer);
        }
    }

    /** When the next is due; {@code otherwise} where none is. */
    long next(long otherwise) {
        Due next = due.peek();
        while (next != null && next.transfer.over) {
            due.remove();
            next = due.peek();
        }
        return next == null ? otherwise : next.at;
    }

    /** Forgets those that have ended, when there are many. */
    void tidy() {
        if (due.size() > EngineSettings.MAX_TRANSFERS) {
            due.removeIf(d -> d.transfer.over);
        }
    }
}
