package org.sluice.spi;

import org.jspecify.annotations.Nullable;

/** The receiving end of a channel. */
public interface ReceiveChannel extends Channel {
    /**
     * Posts a receive of exactly {@code bytes} into {@code address}; the sender is known to send as many.
     *
     * @return false when it cannot be posted now: try again after {@code test} and {@code consumed}
     */
    boolean receive(Registration memory, long address, long bytes, long message, long offset) throws TransportException;

    /**
     * As {@link #receive}, into several places, in order. Only where {@link Transport#mostPieces()} is more than 1, which no
     * transport that scatters says.
     *
     * @param memory the registration that the first piece lies in; whatever the others lie in is registered on this channel too
     * @param pieces native address of {@code count} times {@code struct iovec}, {@code {u64 address, u64 bytes}}, none empty; they
     *     stay as they are until {@link #test()} says done
     * @param count at least 1; a transport that takes fewer at once splits inside
     * @param bytes their sum
     */
    default boolean receivePieces(Registration memory, long pieces, int count, long bytes, long message, long offset)
            throws TransportException {
        throw new UnsupportedOperationException(description() + " takes messages of one piece only");
    }

    /**
     * After {@link #test()} said done on a NIC that {@linkplain Nic#scatters() scatters}: where the pieces lie. Valid until the
     * next {@code test}, except that the bounce buffer keeps its bytes until {@link #consumed()}.
     *
     * @return null where the bytes of this receive lie in their destination already: such a NIC fills host memory directly
     */
    @Nullable ScatterList scattered() throws TransportException;

    /**
     * Begins to make visible to the GPU every receive that {@link #test} has taken off so far. For memory whose registration
     * {@linkplain Registration#needsFence() needs it}; one at a time.
     *
     * @param memory, address, bytes of the newest such receive
     * @return false when it cannot begin now: try again
     */
    default boolean fence(Registration memory, long address, long bytes) throws TransportException {
        return true;
    }

    /** Whether the fence that was begun last is through. Makes progress. */
    default boolean fenced() throws TransportException {
        return true;
    }

    /**
     * Gives back the oldest receive that is done but not consumed. The engine calls it once per receive, in order, after the
     * bytes are in their destination.
     */
    void consumed() throws TransportException;
}
