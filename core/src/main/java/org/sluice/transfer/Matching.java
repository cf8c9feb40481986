package org.sluice.transfer;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings the peer's sends and this side's receives together: the n-th of those without a tag, and of each tag the n-th with it.
 * Belongs to the agent.
 */
final class Matching {
    private static final class Queue {
        final ArrayDeque<Announced> sends = new ArrayDeque<>();
        final ArrayDeque<InboundTransfer> receives = new ArrayDeque<>();
    }

    private final BiConsumer<InboundTransfer, Announced> met;
    private final Queue counted = new Queue();
    private final Map<Long, Queue> tagged = new HashMap<>();
    private int receives;

    /** @param met told of each pair */
    Matching(BiConsumer<InboundTransfer, Announced> met) {
        this.met = met;
    }

    /** Receives that have met no send. */
    int receives() {
        return receives;
    }

    void receive(InboundTransfer t) {
        OptionalLong tag = t.options.tag();
        Queue queue = tag.isPresent() ? tagged.computeIfAbsent(tag.getAsLong(), n -> new Queue()) : counted;
        queue.receives.add(t);
        receives++;
        match(queue, tag);
    }

    void announced(Announced send) {
        Announcement a = send.announcement;
        OptionalLong tag = a.has(Announcement.TAGGED) ? OptionalLong.of(a.tag()) : OptionalLong.empty();
        Queue queue = tag.isPresent() ? tagged.computeIfAbsent(a.tag(), n -> new Queue()) : counted;
        queue.sends.add(send);
        match(queue, tag);
    }

    private void match(Queue queue, OptionalLong tag) {
        while (!queue.sends.isEmpty() && !queue.receives.isEmpty()) {
            receives--;
            met.accept(queue.receives.remove(), queue.sends.remove());
        }
        if (tag.isPresent() && queue.sends.isEmpty() && queue.receives.isEmpty()) {
            tagged.remove(tag.getAsLong());
        }
    }

    /** The send of this number, if it waits for its receive. Rare: looks at all. */
    @Nullable Announced find(long id) {
        for (Announced a : counted.sends) {
            if (a.announcement.id() == id) {
                return a;
            }
        }
        for (Queue queue : tagged.values()) {
            for (Announced a : queue.sends) {
                if (a.announcement.id() == id) {
                    return a;
                }
            }
        }
        return null;
    }

    /** Whether a receive waits for its send. Rare: looks at all. */
    boolean waits(InboundTransfer t) {
        OptionalLong tag = t.options.tag();
        Queue queue = tag.isPresent() ? tagged.get(tag.getAsLong()) : counted;
        return queue != null && queue.receives.contains(t);
    }

    /** Hands every receive over that waits, and forgets all. */
    void drain(Consumer<? super InboundTransfer> to) {
        counted.receives.forEach(to);
        counted.receives.clear();
        counted.sends.clear();
        for (Queue queue : tagged.values()) {
            queue.receives.forEach(to);
        }
        tagged.clear();
        receives = 0;
    }
}
