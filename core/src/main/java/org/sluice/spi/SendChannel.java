package org.sluice.spi;

/** The sending end of a channel. */
public interface SendChannel extends Channel {
    /**
     * Posts a send of {@code bytes} from {@code address}; the memory must stay as it is until {@link #test()} says done.
     *
     * @param memory the registration that {@code address} lies in
     * @param message the transfer's number, {@code offset} the chunk's first byte in it: carried on the wire where the transport
     *     has a header of its own, so that the receiver can check it; ignored otherwise
     * @return false when it cannot be posted now: try again after {@code test}
     */
    boolean send(Registration memory, long address, long bytes, long message, long offset) throws TransportException;

    /**
     * As {@link #send}, of a message whose bytes lie in several places, in order. Only where {@link Transport#mostPieces()} is more
     * than 1.
     *
     * @param memory the registration that the first piece lies in; whatever the others lie in is registered on this channel too
     * @param pieces native address of {@code count} times {@code struct iovec}, {@code {u64 address, u64 bytes}}, none empty; they
     *     stay as they are until {@link #test()} says done
     * @param count at least 1; a transport that takes fewer at once splits inside
     * @param bytes their sum
     */
    default boolean sendPieces(Registration memory, long pieces, int count, long bytes, long message, long offset)
            throws TransportException {
        throw new UnsupportedOperationException(description() + " takes messages of one piece only");
    }

    /**
     * Whether it can say instead of a message that the message will not come ({@link #sendVoid}). One that cannot is given the bytes
     * of a transfer which has been cancelled all the same, where they are granted.
     */
    default boolean sendsVoids() {
        return false;
    }

    /**
     * As {@link #send}, of no bytes: the receive that was posted for this message is done as {@link #VOID}, and its memory is as it was.
     * Only where {@link #sendsVoids()}.
     *
     * @param bytes what the receiver has posted
     */
    default boolean sendVoid(long bytes, long message, long offset) throws TransportException {
        throw new UnsupportedOperationException(description() + " sends no voids");
    }

    /**
     * For how long the other end has left unanswered what reached the wire, counted only once an answer is overdue: what tells a
     * dead rail from threads, on either side, that get no CPU. Asked for seldom, when nothing has been sent for a while; may cost a
     * system call.
     *
     * @return nanoseconds; 0 while nothing is overdue, or where the transport cannot tell
     */
    default long unanswered() throws TransportException {
        return 0;
    }
}
