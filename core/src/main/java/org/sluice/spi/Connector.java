package org.sluice.spi;

import org.jspecify.annotations.Nullable;

/** A sending channel that is being connected. */
public interface Connector extends AutoCloseable {
    /** Makes progress. @return the channel, or null for "not yet"; never called again after it gave a channel */
    @Nullable SendChannel connect() throws TransportException;

    /**
     * Gives the attempt up; one that a transport cannot end is gone on with when the same context connects to the same handle. Does not
     * close a channel that was handed out.
     */
    @Override
    void close();
}
