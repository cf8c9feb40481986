package org.sluice.daemon;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sluice.RemoteAccessException;
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
    /** Slices that are to be dealt again, before those that come next. */
    private final ArrayDeque<Slice> again = new ArrayDeque<>();

    private int piece;
    private long offset;
    private boolean noteIsAlong;
    private final Map<Transfer, Slice> underWay = new HashMap<>();
    private @Nullable Throwable failure;

    /** A part of it that is one transfer. @param kept whether its lists are known to the peer by their numbers */
    private record Slice(int from, int to, long first, long bytes, boolean kept) {}

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
        return failure == null && (piece < plan.pieces() || !again.isEmpty());
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
        Slice repeated = again.peek();
        if (repeated != null) {
            return repeated.bytes;
        }
        long bytes = plan.length(piece) - offset;
        for (int p = piece + 1; p < plan.pieces() && bytes < most; p++) {
            bytes += plan.length(p);
        }
        return Math.min(most, bytes);
    }

    /** Begins the next slice. @throws RuntimeException when it cannot be begun */
    Transfer begin(long bytes) {
        Slice repeated = again.poll();
        Slice slice = repeated == null ? cut(bytes) : repeated;
        Sides sides = plan.sides(link, slice.from, slice.to, slice.first, slice.bytes);
        TransferOptions options =
                TransferOptions.NONE.deadline(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
        if (note != null && bytes == plan.bytes()) {
            options = options.notification(note.encode()); // in one hop with the bytes
            noteIsAlong = true;
        }
        Transfer transfer = read
                ? sides.link().read(sides.local(), sides.remote(), options)
                : sides.link().write(sides.local(), sides.remote(), options);
        underWay.put(transfer, new Slice(slice.from, slice.to, slice.first, slice.bytes, sides.kept()));
        return transfer;
    }

    private Slice cut(long bytes) {
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
        return new Slice(from, offset == 0 ? piece : piece + 1, first, bytes, false);
    }

    /** The notification that is still to be sent when all bytes have landed; null for none. */
    @Nullable Notification noteLeft() {
        return noteIsAlong ? null : note;
    }

    /** Ends it, also what is under way; that is told as usual. */
    void cancel(Throwable why) {
        fail(why);
        List.copyOf(underWay.keySet()).forEach(Transfer::cancel);
    }

    /**
     * A transfer has ended.
     *
     * @return whether it failed because the peer refuses what it was told once: its key was withdrawn, and may have been given anew. It is
     *     dealt again then, and told anew
     */
    boolean ended(Transfer transfer, @Nullable Throwable why) {
        Slice slice = underWay.remove(transfer);
        if (slice == null || !slice.kept || failure != null || !(why instanceof RemoteAccessException)) {
            return false;
        }
        plan.tellAnew();
        again.add(slice);
        return true;
    }
}
