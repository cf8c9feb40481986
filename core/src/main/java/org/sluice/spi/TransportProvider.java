package org.sluice.spi;

/** A kind of transport, found with {@link java.util.ServiceLoader}. */
public interface TransportProvider {
    /** The name on the command line: {@code tcp}, {@code nccl-net}. */
    String name();

    /** Looks whether the transport works here with this configuration; never throws. */
    Availability availability(TransportConfig config);

    /** Opens the transport for the whole node. @throws TransportException naming the NIC or the setting that is wrong */
    Transport open(TransportConfig config) throws TransportException;
}
