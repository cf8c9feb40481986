package org.sluice.tcp;

import java.net.InetAddress;
import org.sluice.linux.LinuxException;
import org.sluice.linux.TcpSocket;
import org.sluice.spi.TransportException;

/**
 * The ports that data connections come to: those of a range that a firewall lets through, or whatever the kernel gives.
 *
 * @param first 0 for any port
 * @param last not below {@code first}
 */
record DataPorts(int first, int last) {
    static final DataPorts ANY = new DataPorts(0, 0);

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

    /** A socket that listens on the first of these ports that is free. */
    TcpSocket listen(InetAddress address, int backlog) throws LinuxException, TransportException {
        if (first == 0) {
            return listen(address, 0, backlog);
        }
        for (int port = first; port <= last; port++) {
            try {
                return listen(address, port, backlog);
            } catch (LinuxException e) {
                if (e.errno() != EADDRINUSE) {
                    throw e;
                }
            }
        }
        throw new TransportException("every data port of " + address.getHostAddress() + ", " + this
                + ", is in use; give a wider range with --data-ports, or end who has them (ss -ltnp)");
    }

    private static TcpSocket listen(InetAddress address, int port, int backlog) throws LinuxException {
        TcpSocket s = TcpSocket.open(address);
        try {
            s.bind(address, port);
            s.listen(backlog);
            return s;
        } catch (LinuxException e) {
            s.close();
            throw e;
        }
    }

    /** {@code 40000-40007}. */
    @Override
    public String toString() {
        return first == last ? Integer.toString(first) : first + "-" + last;
    }
}
