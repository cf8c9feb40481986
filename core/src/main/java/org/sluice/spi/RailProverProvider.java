package org.sluice.spi;

import java.util.List;
import java.util.Map;

/** Proves rails for transports that cannot themselves; found with {@link java.util.ServiceLoader}. */
public interface RailProverProvider {
    /**
     * @param nics of the transport; those without kernel device or addresses cannot be tried
     * @param options settings of the transport that the provider belongs to
     */
    RailProver open(List<Nic> nics, Map<String, String> options) throws TransportException;
}
