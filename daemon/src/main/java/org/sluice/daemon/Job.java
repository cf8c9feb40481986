package org.sluice.daemon;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sluice.Layout;
import org.sluice.Link;
import org.sluice.RemoteLayout;
import org.sluice.Transfer;
import org.sluice.TransferOptions;

/**
 * One request of a client on its way: dealt out in slices, each a transfer of the node. What changes is guarded by the dealer's lock.
 */
final class Job {
    private final long number;
    private final SharedLink link;
    private final boolean read;
    private final Plan plan;
    private final @Nullable Notification note;
    private final long deadline;
    private final @Nullable Job original;
    private int piece;
    private long offset;
    private boolean noteIsAlong;
    private final Set<Transfer> underWay = new HashSet<>();
    private @Nullable Throwable failure;

    /** @param deadline as {@link System#nanoTime} */
    Job(long number, SharedLink link, boolean read, Plan plan, @Nullable Notification note, long deadline) {
        this(number, link, read, plan, note, deadline, null);
    }

    private Job(
            long number,
            SharedLink link,
            boolean read,
            Plan plan,
            @Nullable Notification note,
            long deadline,
            @Nullable Job original) {
        this.number = number;
        this.link = link;
        this.read = read;
        this.plan = plan;
        this.note = note;
        this.deadline = deadline;
        this.original = original;
    }

    long number() {
        return number;
    }

    SharedLink link() {
        return link;
    }

    boolean reads() {
        return read;
    }

    Plan plan() {
        return plan;
    }

    /** The same request with its bytes elsewhere, in memory between. */
    Job over(Plan other) {
        return new Job(number, link, read, other, null, deadline, this);
    }

    /** The request that this one does with memory between; null for one that needs none. */
    @Nullable Job original() {
        return original;
    }

    /** Whether something is left to be dealt. */
    boolean hasMore() {
        return failure == null && piece < plan.pieces();
    }

    boolean isOver() {
        return underWay.isEmpty() && !hasMore();
    }

    @Nullable Throwable failure() {
        return failure;
    }

    void fail(Throwable why) {
        if (failure == null) {
            failure = why;
        }
    }

    /** Whether its time is up before all of it is dealt. */
    boolean isLate(long now) {
        return deadline - now < 0;
    }

    /** Bytes of the next slice: pieces up to so many bytes, or a part of one. */
    long next(long most) {
        long bytes = plan.length(piece) - offset;
        for (int p = piece + 1; p < plan.pieces() && bytes < most; p++) {
            bytes += plan.length(p);
        }
        return Math.min(most, bytes);
    }

    /** Begins the next slice. @throws RuntimeException when it cannot be begun */
    Transfer begin(long bytes) {
        int from = piece;
        long first = offset;
        long left = bytes;
        while (left > 0) {
            long step = Math.min(left, plan.length(piece) - offset);
            offset += step;
            left -= step;
            if (offset == plan.length(piece)) {
                piece++;
                offset = 0;
            }
        }
        int to = offset == 0 ? piece : piece + 1;
        Layout local = plan.local(from, to, first, bytes);
        RemoteLayout remote = plan.remote(from, to, first, bytes);
        TransferOptions options =
                TransferOptions.NONE.deadline(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
        if (note != null && bytes == plan.bytes()) {
            options = options.notification(note.encode()); // in one hop with the bytes
            noteIsAlong = true;
        }
        Link over = link.link();
        Transfer transfer = read ? over.read(local, remote, options) : over.write(local, remote, options);
        underWay.add(transfer);
        return transfer;
    }

    /** The notification that is still to be sent when all bytes have landed; null for none. */
    @Nullable Notification noteLeft() {
        return noteIsAlong ? null : note;
    }

    /** Ends it, also what is under way; that is told as usual. */
    void cancel(Throwable why) {
        fail(why);
        List.copyOf(underWay).forEach(Transfer::cancel);
    }

    void ended(Transfer transfer) {
        underWay.remove(transfer);
    }
}
