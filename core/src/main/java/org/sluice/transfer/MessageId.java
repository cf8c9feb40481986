package org.sluice.transfer;

/**
 * The 64-bit number of a transfer in one direction of a link. The two highest bits say how it came about, the rest counts: both
 * ends derive the number of the n-th send, and the side that asks numbers the one-sided transfers.
 */
public final class MessageId {
    private static final int KIND_SHIFT = 62;
    private static final long COUNT_MASK = (1L << KIND_SHIFT) - 1;

    /** A send that meets a receive. */
    public static final long TWO_SIDED = 0;

    /** Written by the sending side into the receiver's region. */
    public static final long WRITE = 1;

    /** Read by the receiving side from the sender's region. */
    public static final long READ = 2;

    private MessageId() {}

    public static long of(long kind, long count) {
        return (kind << KIND_SHIFT) | count;
    }

    public static long kind(long id) {
        return id >>> KIND_SHIFT;
    }

    public static long count(long id) {
        return id & COUNT_MASK;
    }

    /** As a person says it: {@code send 12}, {@code write 3}. */
    public static String toString(long id) {
        String kind = switch ((int) kind(id)) {
            case 0 -> "transfer ";
            case 1 -> "write ";
            case 2 -> "read ";
            default -> "unknown transfer ";
        };
        return kind + count(id);
    }
}
