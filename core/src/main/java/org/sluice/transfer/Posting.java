package org.sluice.transfer;

import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** Transfers that this side begins, announced in the order in which they were posted as the peer takes more. Belongs to the agent. */
final class Posting<T extends ChunkedTransfer> {
    private final Predicate<T> mayGo;
    private final Consumer<T> announce;
    private final ArrayDeque<T> waiting = new ArrayDeque<>();

    Posting(Predicate<T> mayGo, Consumer<T> announce) {
        this.mayGo = mayGo;
        this.announce = announce;
    }

    void post(T transfer) {
        if (waiting.isEmpty() && mayGo.test(transfer)) {
            announce.accept(transfer);
        } else {
            waiting.add(transfer);
        }
    }

    /** Announces what may go now. @return how many */
    int doWork() {
        int count = 0;
        for (T t = waiting.peek(); t != null && mayGo.test(t); t = waiting.peek()) {
            waiting.remove();
            announce.accept(t);
            count++;
        }
        return count;
    }

    int size() {
        return waiting.size();
    }

    /** Takes one back that was not announced. @return false when it was */
    boolean remove(T transfer) {
        return waiting.remove(transfer);
    }

    void each(Consumer<? super T> to) {
        waiting.forEach(to);
    }

    void drain(Consumer<? super T> to) {
        waiting.forEach(to);
        waiting.clear();
    }
}
