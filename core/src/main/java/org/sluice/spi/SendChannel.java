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
