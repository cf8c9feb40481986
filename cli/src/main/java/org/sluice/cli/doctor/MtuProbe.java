package org.sluice.cli.doctor;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import jdk.net.ExtendedSocketOptions;

/**
 * Whether packets as large as a NIC sends reach a host, by the host's own word that nobody listens there: small ones are answered and
 * large ones are not where the MTU is smaller on the way or at the end. Needs no server, and says nothing where small ones are not
 * answered either.
 */
final class MtuProbe {
    private static final int TRIES = 3;
    private static final long PATIENCE_MILLIS = 300;
    private static final int SMALL = 64;
    private static final int IPV4_HEADERS = 20 + 8;
    private static final int IPV6_HEADERS = 40 + 8;

    /** Nobody listens on it: "discard" is not in use for UDP. */
    private static final int PORT = 9;

    private MtuProbe() {}

    /** What came of it. */
    enum Answer {
        REACHES,
        SWALLOWED,
        UNKNOWN
    }

    static Answer ask(InetAddress from, InetAddress to, int mtu) {
        int headers = to.getAddress().length == 4 ? IPV4_HEADERS : IPV6_HEADERS;
        try {
            if (!answered(from, to, SMALL)) {
                return Answer.UNKNOWN;
            }
            return answered(from, to, mtu - headers) ? Answer.REACHES : Answer.SWALLOWED;
        } catch (IOException | UnsupportedOperationException e) {
            return Answer.UNKNOWN;
        }
    }

    private static boolean answered(InetAddress from, InetAddress to, int bytes) throws IOException {
        try (DatagramChannel channel = DatagramChannel.open();
                Selector selector = Selector.open()) {
            channel.bind(new InetSocketAddress(from, 0));
            channel.setOption(ExtendedSocketOptions.IP_DONTFRAGMENT, true);
            channel.connect(new InetSocketAddress(to, PORT));
            channel.configureBlocking(false);
            channel.register(selector, SelectionKey.OP_READ);
            for (int i = 0; i < TRIES; i++) {
                try {
                    channel.write(ByteBuffer.allocate(bytes));
                    selector.selectedKeys().clear();
                    if (selector.select(PATIENCE_MILLIS) > 0) {
                        return channel.read(ByteBuffer.allocate(1)) >= 0;
                    }
                } catch (PortUnreachableException e) {
                    return true;
                } catch (IOException e) {
                    if (String.valueOf(e.getMessage()).contains("too long")) {
                        return false; // a router on the way has said so
                    }
                    throw e;
                }
            }
            return false;
        }
    }
}
