package org.sluice.daemon;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import org.sluice.ConfigException;
import org.sluice.NodeConfig;

/**
 * How a daemon is set up.
 *
 * @param node the node that it is
 * @param socket where clients find it
 * @param socketDescriptor a listening Unix socket that a service manager has opened; empty to open one at {@code socket}
 * @param mode permissions of the socket file, such as 0660
 * @param group that the socket file is given to; empty to leave it
 * @param listen where other daemons reach this one, port 0 for a free one; empty to take no links
 * @param unprotected whether it may listen beyond this host without a shared secret or TLS
 * @param quotas of each client
 * @param transferDeadline for a request that names none
 */
public record DaemonConfig(
        NodeConfig node,
        Path socket,
        OptionalInt socketDescriptor,
        int mode,
        Optional<String> group,
        Optional<InetSocketAddress> listen,
        boolean unprotected,
        Quotas quotas,
        Duration transferDeadline) {

    /** @throws ConfigException where everybody on the network could use the daemon and nobody has said that they may */
    public DaemonConfig {
        boolean isProtected =
                node.protection().secret().length > 0 || node.protection().tls().isPresent() || unprotected;
        if (!isProtected && listen.isPresent() && !isOfThisHost(listen.get())) {
            throw new ConfigException("listening at " + listen.get().getHostString()
                    + " lets everybody on that network reach this node: give a shared secret (--secret-file, SLUICE_SECRET) or"
                    + " TLS (--tls), or say --unprotected");
        }
    }

    private static boolean isOfThisHost(InetSocketAddress address) {
        return address.getAddress() != null && address.getAddress().isLoopbackAddress();
    }
}
