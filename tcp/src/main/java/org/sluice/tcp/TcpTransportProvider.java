package org.sluice.tcp;

import org.sluice.spi.Availability;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportException;
import org.sluice.spi.TransportProvider;

/** The transport {@code tcp}: kernel sockets, there on every machine. */
public final class TcpTransportProvider implements TransportProvider {
    static final String NAME = "tcp";

    /** For {@link java.util.ServiceLoader}. */
    public TcpTransportProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Availability availability(TransportConfig config) {
        try {
            return Availability.yes("kernel sockets over "
                    + String.join(
                            ", ",
                            TcpNics.choose(config.nics()).nics().stream()
                                    .map(n -> n.name())
                                    .toList()));
        } catch (TransportException e) {
            return Availability.no(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public Transport open(TransportConfig config) throws TransportException {
        return new TcpTransport(
                TcpNics.choose(config.nics()), config.socketsPerChannel(), TcpOptions.of(config.options()));
    }
}
