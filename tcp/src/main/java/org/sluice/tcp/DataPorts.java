package org.sluice.tcp;

import org.jspecify.annotations.Nullable;
import org.sluice.linux.LinuxException;
import org.sluice.spi.TransportException;

/**
 * The ports that data connections come to: those of a range that a firewall lets through, or whatever the kernel gives.
 *
 * @param first 0 for any port
 * @param last not below {@code first}
 */
record DataPorts(int first, int last) {
    static final DataPorts ANY = new DataPorts(0, 0);

    /** Where the kernel chooses the port for one NIC it may be taken on another: that often. */
    private static final int TRIES = 16;

    private static final int LAST_PORT = 65535;
    private static final int EADDRINUSE = 98;

    /** @param text {@code 40000-40007}, or one port */
    static DataPorts parse(String text) throws TransportException {
        int dash = text.indexOf('-');
        try {
            int first = Integer.parseInt(dash < 0 ? text : text.substring(0, dash));
            int last = dash < 0 ? first : Integer.parseInt(text.substring(dash + 1));
            if (first >= 1 && first <= last && last <= LAST_PORT) {
                return new DataPorts(first, last);
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new TransportException(
                "data ports are " + text + ", they may be a range like 40000-40007, from 1 to 65535");
    }

    /** What is done on a port that may turn out to be in use. */
    interface Opening<T> {
        T on(int port) throws LinuxException;
    }

    /** Does something on the first of these ports that is free for it. @throws TransportException when none is */
    <T> T first(Opening<T> opening) throws TransportException {
        @Nullable LinuxException inUse = null;
        for (int i = 0; i < (first == 0 ? TRIES : last - first + 1); i++) {
            try {
                return opening.on(first == 0 ? 0 : first + i);
            } catch (LinuxException e) {
                if (e.errno() != EADDRINUSE) {
                    throw new TransportException("a data port cannot be opened: " + e.getMessage(), e);
                }
                inUse = e;
            }
        }
        if (first == 0 && inUse != null) {
            throw new TransportException("no data port can be opened: " + inUse.getMessage(), inUse);
        }
        throw new TransportException("every data port, " + this
                + ", is in use on some NIC; give a wider range with --data-ports, or end who has them (ss -ltnp)");
    }

    /** {@code 40000-40007}. */
    @Override
    public String toString() {
        return first == last ? Integer.toString(first) : first + "-" + last;
    }
}
