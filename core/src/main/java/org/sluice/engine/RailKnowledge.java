package org.sluice.engine;

import java.util.ServiceLoader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.NodeConfig;
import org.sluice.peer.RailBook;
import org.sluice.spi.RailProver;
import org.sluice.spi.RailProverProvider;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportException;

/** Finds what proves a node's rails: the transport, or another's sockets where it has addresses and no prover of its own. */
final class RailKnowledge {
    private static final Logger log = LoggerFactory.getLogger(RailKnowledge.class);

    private RailKnowledge() {}

    /** @param pulls the name of the pull transport; empty for none */
    static RailBook open(Transport transport, String pulls, NodeConfig config, int gpus) {
        RailProver prover = transport.railProver().orElse(null);
        if (prover == null
                && transport.devices().stream().anyMatch(n -> !n.addresses().isEmpty())) {
            RailProverProvider provider =
                    ServiceLoader.load(RailProverProvider.class).findFirst().orElse(null);
            try {
                prover = provider == null
                        ? null
                        : provider.open(transport.devices(), config.network().transportOptions());
            } catch (TransportException e) {
                log.warn("rails are not proven: {}", e.getMessage());
            }
        }
        return new RailBook(LocalIdentity.of(transport, pulls, prover, gpus), prover);
    }
}
