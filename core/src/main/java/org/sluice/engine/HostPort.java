package org.sluice.engine;

import org.sluice.ConfigException;

/** Where a node listens: {@code host:port}; an IPv6 address stands in brackets, {@code [2001:db8::1]:20100}. */
record HostPort(String host, int port) {
    /** @throws ConfigException when the text is no such address */
    static HostPort of(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.contains(":")) {
            throw new ConfigException("the peer's address " + text
                    + " has several colons; put an IPv6 address in brackets: [2001:db8::1]:20100");
        }
        int port;
        try {
            port = Integer.parseInt(text.substring(colon + 1));
        } catch (NumberFormatException e) {
            port = 0;
        }
        if (host.isEmpty() || port < 1 || port > 65535) {
            throw new ConfigException(
                    "the peer's address is " + text + "; it has the form host:port, with a port from 1 to 65535");
        }
        return new HostPort(host, port);
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
