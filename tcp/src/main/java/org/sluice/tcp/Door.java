package org.sluice.tcp;

import java.io.IOException;
import java.net.InetAddress;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.LinuxException;
import org.sluice.linux.PollSet;
import org.sluice.linux.TcpSocket;

/**
 * A socket that listens on every address, but hears only what comes in by one NIC, or only what comes from this host itself.
 *
 * @param nic place of its NIC, {@link #HERE}, or {@link #ANYWHERE}
 * @param comer told of everybody who connects
 */
record Door(TcpSocket socket, int nic, Consumer<TcpSocket> comer) implements Visit {
    /** Those of this host, whose packets go by no NIC. */
    static final int HERE = -2;

    /** Everybody: the process may not bind a socket to a device. */
    static final int ANYWHERE = -1;

    private static final int BACKLOG = 512;

    /** Connections taken in one turn, so that a flood of them does not hold the others up. */
    private static final int ACCEPTS_A_TURN = 16;

    private static final InetAddress EVERY_ADDRESS = InetAddress.ofLiteral("::");
    private static final InetAddress EVERY_ADDRESS_4 = InetAddress.ofLiteral("0.0.0.0");
    private static final int EAFNOSUPPORT = 97;

    /**
     * A socket that listens on every address of both families.
     *
     * @param port 0 for any that is free
     * @param device the only one it is to hear; null for all
     * @return null where the process may not bind sockets to devices
     */
    static @Nullable TcpSocket listen(int port, @Nullable String device) throws LinuxException {
        InetAddress every = EVERY_ADDRESS;
        TcpSocket s;
        try {
            s = TcpSocket.open(every);
        } catch (LinuxException e) {
            if (e.errno() != EAFNOSUPPORT) {
                throw e;
            }
            every = EVERY_ADDRESS_4; // a kernel without IPv6
            s = TcpSocket.open(every);
        }
        try {
            if (device != null && !s.options().bindToDevice(device)) {
                s.close();
                return null;
            }
            s.bind(every, port);
            s.listen(BACKLOG);
            return s;
        } catch (LinuxException e) {
            s.close();
            throw e;
        }
    }

    @Override
    public short events() {
        return PollSet.READ;
    }

    @Override
    public long endsAt() {
        return Doors.NEVER;
    }

    @Override
    public boolean turn() throws IOException {
        for (int i = 0; i < ACCEPTS_A_TURN; i++) {
            TcpSocket s = socket.accept();
            if (s == null) {
                return false;
            }
            comer.accept(s);
        }
        return false;
    }

    @Override
    public void end(String why) {
        socket.close();
    }
}
