package org.sluice.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.ConfigException;
import org.sluice.peer.NodeSharing;
import org.sluice.spi.Availability;
import org.sluice.spi.PullTransportProvider;
import org.sluice.spi.TransportException;
import org.sluice.spi.TransportProvider;

/**
 * Which transports a node uses: one for the network, and perhaps one by which peers of this host pull. As the user says it: a name, or
 * names in the order in which they are preferred; {@code auto} for what pulls here, then {@code tcp}. What pulls and stands alone is
 * demanded: links that cannot use it are not made.
 *
 * @param pull null for none
 */
record TransportChoice(TransportProvider network, @Nullable PullTransportProvider pull, boolean isDemanded) {
    private static final Logger log = LoggerFactory.getLogger(TransportChoice.class);

    private static final String AUTO = "auto";
    private static final String DEFAULT_NETWORK = "tcp";

    static TransportChoice of(String said) {
        List<TransportProvider> networks = all(TransportProvider.class);
        List<PullTransportProvider> pulls = all(PullTransportProvider.class);
        if (said.equals(AUTO)) {
            return new TransportChoice(
                    named(networks, DEFAULT_NETWORK, pulls), pulls.isEmpty() ? null : pulls.getFirst(), false);
        }
        List<String> names = new ArrayList<>(List.of(said.split(",", -1)));
        PullTransportProvider pull = pulls.stream()
                .filter(p -> p.name().equals(names.getFirst()))
                .findFirst()
                .orElse(null);
        if (pull != null) {
            names.removeFirst();
        }
        if (names.size() > 1) {
            throw new ConfigException("transport " + said + ": one for the network, and before it perhaps one of "
                    + pulls.stream().map(PullTransportProvider::name).collect(Collectors.joining(", "))
                    + " for peers on this host");
        }
        String network = names.isEmpty() ? DEFAULT_NETWORK : names.getFirst();
        return new TransportChoice(named(networks, network, pulls), pull, names.isEmpty());
    }

    private static TransportProvider named(
            List<TransportProvider> networks, String name, List<PullTransportProvider> pulls) {
        return networks.stream()
                .filter(t -> t.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ConfigException("there is no transport " + name + "; there are "
                        + Stream.concat(
                                        networks.stream().map(TransportProvider::name),
                                        Stream.concat(pulls.stream().map(PullTransportProvider::name), Stream.of(AUTO)))
                                .collect(Collectors.joining(", "))));
    }

    private static <T> List<T> all(Class<T> service) {
        return ServiceLoader.load(service).stream()
                .map(ServiceLoader.Provider::get)
                .toList();
    }

    /** Opens what peers of this host pull by. Null where there is nothing, or it does not work here and need not. */
    @Nullable NodeSharing openSharing() {
        PullTransportProvider p = pull;
        if (p == null) {
            return null;
        }
        try {
            Availability a = p.availability();
            if (!a.usable()) {
                throw new TransportException(a.reason());
            }
            return new NodeSharing(p.open(), isDemanded);
        } catch (TransportException e) {
            if (isDemanded) {
                throw new ConfigException("transport " + p.name() + ": " + e.getMessage(), e);
            }
            log.warn("transport {} is not used: {}", p.name(), e.getMessage());
            return null;
        }
    }
}
