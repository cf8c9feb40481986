package org.sluice.ipc;

import org.sluice.linux.LinuxException;
import org.sluice.spi.Availability;
import org.sluice.spi.PullTransport;
import org.sluice.spi.PullTransportProvider;
import org.sluice.spi.TransportException;

/** The transport {@code ipc}. */
public final class IpcTransportProvider implements PullTransportProvider {
    static final String NAME = "ipc";

    /** For {@link java.util.ServiceLoader}. */
    public IpcTransportProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Availability availability() {
        try (PrivateDirectory directory = PrivateDirectory.make()) {
            return Availability.yes("memory of processes of this host, met at " + directory.path());
        } catch (LinuxException | TransportException e) {
            return Availability.no(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public PullTransport open() throws TransportException {
        try {
            return new IpcTransport(PrivateDirectory.make());
        } catch (LinuxException e) {
            throw new TransportException("the transport ipc: " + e.getMessage(), e);
        }
    }
}
