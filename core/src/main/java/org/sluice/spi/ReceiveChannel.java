package org.sluice.spi;

/** The receiving end of a channel. */
public interface ReceiveChannel extends Channel {
    /**
     * Posts a receive of exactly {@code bytes} into {@code address}; the sender is known to send as many.
     *
     * @return false when it cannot be posted now: try again after {@code test} and {@code consumed}
     */
    boolean receive(Registration memory, long address, long bytes, long message, long offset) throws TransportException;

    /**
     * After {@link #test()} said done on a NIC that {@linkplain Nic#scatters() scatters}: where the pieces lie. Valid until the
     * next {@code test}, except that the bounce buffer keeps its bytes until {@link #consumed()}.
     */
    ScatterList scattered() throws TransportException;

    /**
     * Gives back the oldest receive that is done but not consumed. The engine calls it once per receive, in order, after the
     * bytes are in their destination.
     */
    void consumed() throws TransportException;
}
