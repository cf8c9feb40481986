package org.sluice.spi;

import java.util.List;

/** A kind of transport, found with {@link java.util.ServiceLoader}. */
public interface TransportProvider {
    /** The name on the command line: {@code tcp}, {@code nccl-net}. */
    String name();

    /** Looks whether the transport works here with this configuration; never throws. */
    Availability availability(TransportConfig config);

    /**
     * The environment that native code would get if the transport were opened so. Changes nothing.
     *
     * @throws TransportException naming the setting that is wrong
     */
    default List<EnvironmentVariable> environment(TransportConfig config) throws TransportException {
        return List.of();
    }

    /** Opens the transport for the whole node. @throws TransportException naming the NIC or the setting that is wrong */
    Transport open(TransportConfig config) throws TransportException;
}
