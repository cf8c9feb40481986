package org.sluice.spi;

/** Memory made known to a channel. Closed after everything posted from it is done, before its channel. */
public interface Registration extends AutoCloseable {
    @Override
    void close() throws TransportException;
}
