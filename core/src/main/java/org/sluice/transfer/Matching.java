package org.sluice.transfer;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings the peer's sends and this side's receives together: the n-th of those without a tag, and of each tag the n-th with it. A send
 * that was cancelled before its receive came keeps its place, so that the count goes on; of such places a peer may make any number, so
 * neighbours become one, and of those with tags only the latest are kept. Belongs to the agent.
 */
final class Matching {
    /** Cancelled sends with tags that are remembered. A receive of an older one's tag meets the next send. */
    static final int MOST_CANCELLED_TAGS = 4096;

    /** Stretches of cancelled sends: beyond, neighbours that ended for different reasons become one too. */
    private static final int MOST_STRETCHES = 4096;

    /** Told of a receive whose send was cancelled. */
    interface Missed {
        void accept(InboundTransfer receive, EndReason why);
    }

    /** A send that waits for its receive, or some in a row that were cancelled. */
    private static final class Place {
        final Queue queue;

        @Nullable Place before;

        @Nullable Place after;

        @Nullable Announced send;

        EndReason why = EndReason.NONE;
        long count = 1;

        Place(Queue queue, Announced send) {
            this.queue = queue;
            this.send = send;
        }

        boolean isCancelled() {
            return send == null;
        }
    }

    /** Sends or receives that wait, never both. */
    private static final class Queue {
        final OptionalLong tag;
        final ArrayDeque<InboundTransfer> receives = new ArrayDeque<>();

        @Nullable Place first;

        @Nullable Place last;

        Queue(OptionalLong tag) {
            this.tag = tag;
        }

        void add(Place place) {
            Place end = last;
            if (end == null) {
                first = place;
            } else {
                end.after = place;
                place.before = end;
            }
            last = place;
        }

        void remove(Place place) {
            Place before = place.before;
            Place after = place.after;
            if (before == null) {
                first = after;
            } else {
                before.after = after;
            }
            if (after == null) {
                last = before;
            } else {
                after.before = before;
            }
        }
    }

    private final BiConsumer<InboundTransfer, Announced> met;
    private final Missed missed;
    private final Queue counted = new Queue(OptionalLong.empty());
    private final Map<Long, Queue> tagged = new HashMap<>();
    /** By number, those that were not cancelled. */
    private final Map<Long, Place> sends = new HashMap<>();
    /** The oldest first; some are gone meanwhile. */
    private final ArrayDeque<Place> cancelledTags = new ArrayDeque<>();

    private int stretches;
    private int receives;

    /** @param met told of each pair */
    Matching(BiConsumer<InboundTransfer, Announced> met, Missed missed) {
        this.met = met;
        this.missed = missed;
    }

    /** Receives that have met no send. */
    int receives() {
        return receives;
    }

    /** What is kept of sends that met no receive. */
    int places() {
        return sends.size() + stretches;
    }

    private Queue queue(OptionalLong tag) {
        return tag.isPresent() ? tagged.computeIfAbsent(tag.getAsLong(), n -> new Queue(tag)) : counted;
    }

    private void forgetEmpty(Queue queue) {
        if (queue.tag.isPresent() && queue.first == null && queue.receives.isEmpty()) {
            tagged.remove(queue.tag.getAsLong());
        }
    }

    void receive(InboundTransfer t) {
        Queue queue = queue(t.options.tag());
        Place place = queue.first;
        if (place == null) {
            queue.receives.add(t);
            t.unmatched = true;
            receives++;
            return;
        }
        Announced send = place.send;
        EndReason why = place.why;
        if (--place.count == 0) {
            remove(place);
        }
        if (send == null) {
            missed.accept(t, why);
        } else {
            sends.remove(send.announcement.id());
            met.accept(t, send);
        }
    }

    void announced(Announced send) {
        Announcement a = send.announcement;
        Queue queue = queue(a.has(Announcement.TAGGED) ? OptionalLong.of(a.tag()) : OptionalLong.empty());
        InboundTransfer t = queue.receives.poll();
        if (t == null) {
            send.keep();
            Place place = new Place(queue, send);
            queue.add(place);
            sends.put(a.id(), place);
            return;
        }
        t.unmatched = false;
        receives--;
        forgetEmpty(queue);
        met.accept(t, send);
    }

    /** The peer has ended a send. @return it, if it waits for its receive; from now on its place is that of a cancelled one */
    @Nullable Announced cancel(long id, EndReason why) {
        Place place = sends.remove(id);
        if (place == null) {
            return null;
        }
        Announced send = place.send;
        place.send = null;
        place.why = why;
        stretches++;
        if (!joins(place.before, place)) {
            joins(place, place.after);
            if (place.queue.tag.isPresent()) {
                remember(place);
            }
        } else if (place.before != null) {
            joins(place.before, place.before.after);
        }
        return send;
    }

    /** Makes one of two neighbours if they can be. @return whether the second is gone */
    private boolean joins(@Nullable Place one, @Nullable Place other) {
        if (one == null || other == null || !one.isCancelled() || !other.isCancelled()) {
            return false;
        }
        if (one.why != other.why && stretches <= MOST_STRETCHES) {
            return false;
        }
        one.count += other.count;
        other.count = 0;
        remove(other);
        return true;
    }

    private void remember(Place place) {
        cancelledTags.add(place);
        if (cancelledTags.size() > MOST_CANCELLED_TAGS) {
            Place oldest = cancelledTags.remove();
            if (oldest.count > 0) {
                oldest.count = 0;
                remove(oldest);
            }
        }
    }

    private void remove(Place place) {
        if (place.isCancelled()) {
            stretches--;
        }
        place.queue.remove(place);
        forgetEmpty(place.queue);
    }

    /** Hands every receive over that waits, and forgets all. */
    void drain(Consumer<? super InboundTransfer> to) {
        drain(counted, to);
        for (Queue queue : tagged.values()) {
            drain(queue, to);
        }
        tagged.clear();
        sends.clear();
        cancelledTags.clear();
        receives = 0;
        stretches = 0;
    }

    private static void drain(Queue queue, Consumer<? super InboundTransfer> to) {
        queue.receives.forEach(t -> {
            t.unmatched = false;
            to.accept(t);
        });
        queue.receives.clear();
        queue.first = null;
        queue.last = null;
    }
}
