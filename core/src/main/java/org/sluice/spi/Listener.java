package org.sluice.spi;

import org.jspecify.annotations.Nullable;

/** Waits for the one sending channel that holds its handle. Closing it does not close an accepted channel. */
public interface Listener extends AutoCloseable {
    /** What the peer needs to connect, at most {@link Transport#MAX_HANDLE_BYTES}; a copy. */
    byte[] handle();

    /** Makes progress. @return the channel, or null for "not yet"; never called again after it gave a channel */
    @Nullable ReceiveChannel accept() throws TransportException;

    /**
     * Gives it up. A transport that cannot (a plugin is at work in it) keeps it, and gives it out again, with the same handle, when it
     * is asked to listen on the same device with the same context: to make another each time would grow without end.
     */
    @Override
    void close();
}
