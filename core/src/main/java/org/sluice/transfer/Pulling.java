package org.sluice.transfer;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.sluice.PeerLostException;
import org.sluice.Where;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.ListQueue;

/**
 * Brings the bytes of transfers whose memory is open here, by copying them: a range by the copy engine, lists by a kernel that is
 * scattered at both ends. Transfers take turns, step by step, those of higher priority first; so a step is short, and a transfer that is
 * cancelled ends with the steps that are under way. Waits for nobody: the copies are this side's own. Belongs to the agent.
 */
final class Pulling {
    /** Told of what has come. */
    interface Landing {
        void landed(InboundTransfer transfer, long bytes);
    }

    /** Steps of a queue under way: the next begins when one ends, and no transfer waits for many of another's. */
    private static final int STEPS = 4;

    /** Most that is begun in one turn, so that a queue which copies at once does not keep the agent from the control connection. */
    private static final int STEPS_A_TURN = 2;

    private final Where where;
    private final PulledMemory memory;
    private final Landing landing;
    private final ArrayDeque<InboundTransfer>[] waiting;
    private final PullSteps copying = new PullSteps(STEPS);
    private final PullSteps listing = new PullSteps(STEPS);
    private final PullSteps.Done done = this::done;
    private @Nullable CopyQueue copies;
    private @Nullable ListQueue lists;
    private int waits;

    @SuppressWarnings({"unchecked", "rawtypes"})
    Pulling(Where where, PulledMemory memory, Landing landing) {
        this.where = where;
        this.memory = memory;
        this.landing = landing;
        this.waiting = new ArrayDeque[PulledStriping.MOST_PRIORITY + 1];
        for (int p = 0; p < waiting.length; p++) {
            waiting[p] = new ArrayDeque<>(1);
        }
    }

    void add(InboundTransfer t) {
        waiting[t.priority].add(t);
        waits++;
    }

    /** It is to have no more steps. */
    void remove(InboundTransfer t) {
        if (waiting[t.priority].remove(t)) {
            waits--;
        }
    }

    /** Whether copies are under way, which ring no bell. */
    boolean isCopying() {
        return !copying.isEmpty() || !listing.isEmpty();
    }

    /** @return how much was done */
    int doWork() {
        int work = reap();
        int begun = 0;
        while (waits > 0 && begun < STEPS_A_TURN && begin()) {
            begun++;
        }
        if (begun > 0 && lists != null) {
            lists.flush();
        }
        return work + begun + (begun > 0 ? reap() : 0);
    }

    private int reap() {
        int work = 0;
        CopyQueue c = copies;
        if (c != null && !copying.isEmpty()) {
            work += copying.upTo(c.completed(), done);
        }
        ListQueue l = lists;
        if (l != null && !listing.isEmpty()) {
            work += listing.upTo(l.completed(), done);
        }
        return work;
    }

    private void done(InboundTransfer t, long bytes) {
        if (memory.peerGaveUp()) {
            throw new PeerLostException(
                    where,
                    "the peer has given its memory up while it was copied; it closed the link, found this side silent, or ended");
        }
        memory.count(false, bytes);
        landing.landed(t, bytes);
    }

    /** Begins the next step of the transfer whose turn it is. @return false where the queue that it needs is full */
    private boolean begin() {
        int p = waiting.length - 1;
        while (waiting[p].isEmpty()) {
            p--;
        }
        InboundTransfer t = waiting[p].element();
        PullSource source = t.source;
        if (source == null) {
            throw new IllegalStateException("nothing to pull from");
        }
        long most = Math.min(t.length - t.next, memory.stepBytes());
        long from = source.map.address(t.next, most);
        long to = t.map.address(t.next, most);
        long bytes = from != -1 && to != -1 ? copy(t, from, to, most) : list(t, source, most);
        if (bytes == 0) {
            return false;
        }
        t.next += bytes;
        t.inFlight++;
        waiting[p].remove();
        if (t.hasNext()) {
            waiting[p].add(t);
        } else {
            waits--;
        }
        return true;
    }

    private long copy(InboundTransfer t, long from, long to, long bytes) {
        CopyQueue q = copies;
        if (q == null) {
            q = memory.copies(STEPS);
            copies = q;
        }
        if (!copying.hasRoom() || !q.hasRoom()) {
            return 0;
        }
        q.enqueue(to, from, bytes);
        copying.add(t, bytes);
        return bytes;
    }

    private long list(InboundTransfer t, PullSource source, long most) {
        ListQueue q = lists;
        if (q == null) {
            q = memory.lists(STEPS);
            lists = q;
        }
        if (!listing.hasRoom()) {
            return 0;
        }
        long bytes = q.enqueue(source.map.table(), t.map.table(), t.next, most);
        if (bytes > 0) {
            listing.add(t, bytes);
        }
        return bytes;
    }

    /** Waits for this side's own copies, then frees the queues: nothing is written to a transfer's memory after this. */
    void close() {
        try {
            if (copies != null) {
                copies.close();
            }
        } finally {
            if (lists != null) {
                lists.close();
            }
            copies = null;
            lists = null;
        }
    }
}
