package org.sluice.spi;

/**
 * A transport of the second kind: it moves no bytes. It hands the parts of shared memory to another process of this host, and whoever
 * receives a transfer copies from the sender's memory by itself ({@link MemorySharing}). So it has no NICs, rails, channels or grants.
 *
 * <p>One per node, shared by all its GPUs. Any thread may use it; nothing here waits for the other process.
 */
public interface PullTransport extends AutoCloseable {
    /** As {@link PullTransportProvider#name()}. */
    String name();

    /**
     * Lets one peer come, once. The door's handle goes to the peer over a connection on which it has proven itself, and to nobody else.
     *
     * @param told what happens, on a thread of the transport's that must not be held up
     */
    PartsDoor listen(PartsListener told) throws TransportException;

    /**
     * Goes to a peer's door. {@link PartsListener#connected} follows when the peer has let this side in.
     *
     * @param handle the peer's, foreign bytes: at most {@link Transport#MAX_HANDLE_BYTES}
     */
    PartsConnection connect(byte[] handle, PartsListener told) throws TransportException;

    /** Closes every door and connection that is left. Idempotent. */
    @Override
    void close();
}
