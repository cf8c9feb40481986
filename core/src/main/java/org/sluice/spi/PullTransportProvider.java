package org.sluice.spi;

/**
 * A kind of transport by which the receiver pulls, found with {@link java.util.ServiceLoader}. That a transport pulls is said by which
 * of the two services it provides: this one, or {@link TransportProvider}.
 */
public interface PullTransportProvider {
    /** The name on the command line: {@code ipc}. */
    String name();

    /** Looks whether the transport works here; never throws. */
    Availability availability();

    /** Opens the transport for the whole node. @throws TransportException saying what is missing */
    PullTransport open() throws TransportException;
}
