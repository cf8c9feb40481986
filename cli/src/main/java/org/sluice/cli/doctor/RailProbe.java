package org.sluice.cli.doctor;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.sluice.linux.LinuxException;
import org.sluice.linux.NetDevice;
import org.sluice.linux.TcpInfo;
import org.sluice.linux.TcpSocket;

/** Tries a TCP connection from one NIC to one address. Refused is reached: a host that says no is there. */
final class RailProbe {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(3);
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final int ECONNREFUSED = 111;

    /** Options of a segment (time stamps take 12 bytes) are not what makes a segment small. */
    private static final int OPTION_BYTES = 40;

    private RailProbe() {}

    /**
     * What came of it.
     *
     * @param reached whether the host answered
     * @param smallSegments whether the connection's segments are smaller than the NIC's own
     */
    record Answer(boolean reached, boolean smallSegments, String text) {}

    static Answer ask(NetDevice nic, InetAddress from, InetAddress to, int port) {
        InetSocketAddress peer = new InetSocketAddress(to, port);
        try (TcpSocket socket = TcpSocket.open(from)) {
            socket.bindSource(from);
            boolean ignored = socket.options().bindToDevice(nic.name());
            long end = System.nanoTime() + PATIENCE_NANOS;
            boolean connected = socket.connect(peer);
            while (!connected && System.nanoTime() - end < 0) {
                LockSupport.parkNanos(LOOK_NANOS);
                connected = socket.finishConnect(peer);
            }
            if (!connected) {
                return new Answer(false, false, "does not answer within 3 s");
            }
            TcpInfo info = TcpInfo.of(socket.fd());
            return new Answer(
                    true,
                    info.sendMss() < info.advertisedMss() - OPTION_BYTES,
                    "port " + port + " is open, round trip " + info.rttNanos() / 1000 + " us, segments of "
                            + info.sendMss() + " bytes");
        } catch (LinuxException e) {
            return e.errno() == ECONNREFUSED
                    ? new Answer(true, false, "answers; nobody listens on port " + port + " now")
                    : new Answer(false, false, "cannot be reached: " + e.getMessage());
        }
    }
}
