package org.sluice.linux;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How the kernel would send a packet.
 *
 * @param device index of the network device it leaves by
 * @param gateway the next hop; null where the destination is reached directly
 * @param source the source address it would choose, or was told; null where it does not say
 */
public record Route(
        int device, @Nullable InetAddress gateway, @Nullable InetAddress source) {
    // <linux/rtnetlink.h>
    private static final int RTM_GETROUTE = 26;
    private static final int RTMSG_BYTES = 12;
    private static final int RTA_DST = 1;
    private static final int RTA_SRC = 2;
    private static final int RTA_OIF = 4;
    private static final int RTA_GATEWAY = 5;
    private static final int RTA_PREFSRC = 7;
    private static final byte AF_INET = 2;
    private static final byte AF_INET6 = 10;

    /**
     * Asks the kernel's routing tables and rules.
     *
     * @param from the source address of the socket; null for one that has none yet
     * @param device index of the device the socket is bound to, 0 for none
     * @throws LinuxException when there is no way: ENETUNREACH, EHOSTUNREACH, EINVAL for a source that is not this host's
     */
    public static Route lookup(@Nullable InetAddress from, InetAddress to, int device) throws LinuxException {
        byte[] destination = to.getAddress();
        ByteBuffer body = Netlink.body();
        body.put(destination.length == 4 ? AF_INET : AF_INET6)
                .put((byte) (destination.length * Byte.SIZE))
                .put((byte) (from == null ? 0 : destination.length * Byte.SIZE));
        body.position(RTMSG_BYTES);
        Netlink.put(body, RTA_DST, destination);
        if (from != null) {
            Netlink.put(body, RTA_SRC, from.getAddress());
        }
        if (device != 0) {
            Netlink.put(body, RTA_OIF, device);
        }
        String what = "route" + (from == null ? "" : " from " + from.getHostAddress()) + " to " + to.getHostAddress();
        try (Netlink netlink = new Netlink(Netlink.ROUTE)) {
            Map<Integer, ByteBuffer> answer = Netlink.attributes(netlink.ask(what, RTM_GETROUTE, body), RTMSG_BYTES);
            ByteBuffer out = answer.get(RTA_OIF);
            ByteBuffer source = answer.get(RTA_PREFSRC);
            return new Route(
                    out == null ? 0 : out.getInt(0),
                    address(answer.get(RTA_GATEWAY)),
                    source == null ? from : address(source));
        }
    }

    private static @Nullable InetAddress address(@Nullable ByteBuffer value) {
        if (value == null) {
            return null;
        }
        byte[] bytes = new byte[value.remaining()];
        value.get(0, bytes);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
