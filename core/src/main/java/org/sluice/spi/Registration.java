package org.sluice.spi;

/** Memory made known to a channel. Closed when nothing posted from it is in flight, or right before its channel closes. */
public interface Registration extends AutoCloseable {
    @Override
    void close() throws TransportException;
}
