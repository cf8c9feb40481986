package org.sluice.tcp;

import java.util.List;
import java.util.Map;
import org.sluice.spi.Nic;
import org.sluice.spi.RailProver;
import org.sluice.spi.RailProverProvider;
import org.sluice.spi.TransportException;

/** Proves rails for transports that have no sockets: their NICs' addresses are the kernel's, and its sockets can try them. */
public final class TcpRailProverProvider implements RailProverProvider {
    /** For {@link java.util.ServiceLoader}. */
    public TcpRailProverProvider() {}

    @Override
    public RailProver open(List<Nic> nics, Map<String, String> options) throws TransportException {
        String range = options.get(TcpOptions.DATA_PORTS);
        Doors doors = new Doors(nics, range == null ? DataPorts.ANY : DataPorts.parse(range), true);
        return new TcpRailProver(nics, true, () -> doors) {
            @Override
            public void close() {
                doors.close();
            }
        };
    }
}
