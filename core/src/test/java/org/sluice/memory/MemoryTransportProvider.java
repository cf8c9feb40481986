package org.sluice.memory;

import org.sluice.spi.Availability;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportProvider;

/** The transport {@code memory}: four NICs of 16 requests. */
public final class MemoryTransportProvider implements TransportProvider {
    /** For {@link java.util.ServiceLoader}. */
    public MemoryTransportProvider() {}

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public Availability availability(TransportConfig config) {
        return Availability.yes("wires inside this process");
    }

    @Override
    public Transport open(TransportConfig config) {
        return new MemoryTransport(4, 16);
    }
}
