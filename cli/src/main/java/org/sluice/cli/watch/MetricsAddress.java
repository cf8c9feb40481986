package org.sluice.cli.watch;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.sluice.ConfigException;

/** Where metrics are served: {@code :9400} on the loopback address, {@code 10.0.0.1:9400} or {@code [::]:9400} where it says. */
public record MetricsAddress(InetSocketAddress socket) {
    /** @throws ConfigException when the text is no such address */
    public static MetricsAddress of(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port = port(text.substring(colon + 1));
        InetSocketAddress address = host.isEmpty()
                ? new InetSocketAddress(InetAddress.getLoopbackAddress(), port)
                : new InetSocketAddress(host, port);
        if (port < 0 || address.isUnresolved()) {
            throw new ConfigException("--metrics " + text + ": write :PORT for this machine alone, or HOST:PORT");
        }
        return new MetricsAddress(address);
    }

    private static int port(String text) {
        try {
            int port = Integer.parseInt(text);
            if (port < 0 || port > 65535) {
                throw new NumberFormatException(text);
            }
            return port;
        } catch (NumberFormatException e) {
            throw new ConfigException("--metrics: '" + text + "' is not a port from 0 to 65535", e);
        }
    }
}
