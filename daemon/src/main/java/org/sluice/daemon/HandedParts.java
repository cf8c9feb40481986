package org.sluice.daemon;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;
import org.sluice.linux.Descriptor;
import org.sluice.linux.LinuxException;

/** Allocations of a client's GPU memory that it has handed over as descriptors, until one registration takes them all. Any thread. */
final class HandedParts {
    /** Descriptors of one message. */
    static final int MOST_AT_ONCE = 64;

    /** An allocation: how long it is, as the client says, and what opens it. */
    record Part(long bytes, Descriptor descriptor) {}

    private final IntConsumer quota;
    private final List<Part> parts = new ArrayList<>();
    private boolean closed;

    /** @param quota takes room for so many more descriptors, or gives it back */
    HandedParts(IntConsumer quota) {
        this.quota = quota;
    }

    /** @param sizes of the allocations @param descriptors stay the caller's */
    synchronized void take(ByteBuffer sizes, List<Descriptor> descriptors) throws LinuxException {
        if (descriptors.isEmpty() || sizes.remaining() != descriptors.size() * Long.BYTES) {
            throw new ClientException(
                    Status.INVALID,
                    descriptors.size() + " descriptors with " + sizes.remaining()
                            + " bytes that say how long they are: each has 8, and at least one comes");
        }
        for (int i = sizes.position(); i < sizes.limit(); i += Long.BYTES) {
            if (sizes.getLong(i) < 1) {
                throw new ClientException(Status.BOUNDS, "an allocation of " + sizes.getLong(i) + " bytes");
            }
        }
        if (closed) {
            throw new ClientException(Status.CANCELLED, "the client is going");
        }
        quota.accept(descriptors.size());
        int taken = 0;
        try {
            for (Descriptor d : descriptors) {
                parts.add(new Part(sizes.getLong(), d.duplicate()));
                taken++;
            }
        } finally {
            quota.accept(taken - descriptors.size());
        }
    }

    synchronized int count() {
        return parts.size();
    }

    /** All of them; their room stays taken. */
    synchronized List<Part> all() {
        List<Part> all = List.copyOf(parts);
        parts.clear();
        return all;
    }

    /** Of parts that are not used: closes them and gives their room back. */
    void discard(List<Part> unused) {
        unused.forEach(p -> p.descriptor().close());
        quota.accept(-unused.size());
    }

    /** The client is gone. */
    synchronized void close() {
        closed = true;
        discard(all());
    }
}
