package org.sluice;

import java.time.Duration;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What a transfer is to have besides its bytes. Immutable; each method gives another one.
 *
 * @param tag matches the send with a receive of the same tag instead of by count; two-sided transfers only
 * @param notification what the peer's program gets once the transfer has landed and is visible there, at most
 *     {@link #MOST_NOTIFICATION} bytes; null for none
 * @param deadline from now; a transfer that has not ended then ends on both sides with a {@link DeadlineException}. Null for none
 * @param priority 0 to {@link #MOST_PRIORITY}: chunks of a higher one are asked for before all of a lower one. For two-sided
 *     transfers the sender's counts
 */
public record TransferOptions(
        OptionalLong tag,
        byte @Nullable [] notification,
        @Nullable Duration deadline,
        int priority) {
    /** Nothing but the bytes. */
    public static final TransferOptions NONE = new TransferOptions(OptionalLong.empty(), null, null, 0);

    public static final int MOST_NOTIFICATION = 64 << 10;

    public static final int MOST_PRIORITY = 7;

    public TransferOptions {
        if (notification != null) {
            if (notification.length > MOST_NOTIFICATION) {
                throw new IllegalArgumentException("a notification has at most " + MOST_NOTIFICATION
                        + " bytes, this one has " + notification.length);
            }
            notification = notification.clone();
        }
        if (priority < 0 || priority > MOST_PRIORITY) {
            throw new IllegalArgumentException("the priority is " + priority + ", it may be 0 to " + MOST_PRIORITY);
        }
        if (deadline != null && (deadline.isNegative() || deadline.isZero())) {
            throw new IllegalArgumentException("the deadline is " + deadline + " from now, it must be later than now");
        }
    }

    /** The transfer with this tag meets the other side's with the same. */
    public static TransferOptions tagged(long tag) {
        return NONE.tag(tag);
    }

    /** The target's program is told this when the transfer has landed. */
    public static TransferOptions notifying(byte[] notification) {
        return NONE.notification(notification);
    }

    public TransferOptions tag(long of) {
        return new TransferOptions(OptionalLong.of(of), notification, deadline, priority);
    }

    public TransferOptions notification(byte[] bytes) {
        return new TransferOptions(tag, bytes, deadline, priority);
    }

    public TransferOptions deadline(Duration fromNow) {
        return new TransferOptions(tag, notification, fromNow, priority);
    }

    public TransferOptions priority(int of) {
        return new TransferOptions(tag, notification, deadline, of);
    }
}
