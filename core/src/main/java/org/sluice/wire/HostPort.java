package org.sluice.wire;

import org.sluice.ConfigException;

/** Where somebody listens: {@code host:port}; an IPv6 address stands in brackets, {@code [2001:db8::1]:20100}. */
public record HostPort(String host, int port) {
    /** @param what whose address it is, as messages name it: {@code the peer's address} @throws ConfigException when the text is none */
    public static HostPort of(String what, String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.contains(":")) {
            throw new ConfigException(
                    what + " " + text + " has several colons; put an IPv6 address in brackets: [2001:db8::1]:20100");
        }
        int port;
        try {
            port = Integer.parseInt(text.substring(colon + 1));
        } catch (NumberFormatException e) {
            port = 0;
        }
        if (host.isEmpty() || port < 1 || port > 65535) {
            throw new ConfigException(
                    what + " is " + text + "; it has the form host:port, with a port from 1 to 65535");
        }
        return new HostPort(host, port);
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
