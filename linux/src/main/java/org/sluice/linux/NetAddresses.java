package org.sluice.linux;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The IP addresses of this network namespace, as the kernel's routing socket tells them. */
final class NetAddresses {
    // <linux/rtnetlink.h>, <linux/if_addr.h>
    private static final int RTM_GETADDR = 22;
    private static final int IFADDRMSG_BYTES = 8;
    private static final int IFADDRMSG_PREFIX = 1;
    private static final int IFADDRMSG_FLAGS = 2;
    private static final int IFADDRMSG_INDEX = 4;
    private static final int IFA_ADDRESS = 1;
    private static final int IFA_LOCAL = 2;
    private static final int IFA_FLAGS = 8;

    /** An IPv6 address that changes every few hours; of an IPv4 address the same bit says that it is not its subnet's first. */
    private static final int IFA_F_TEMPORARY = 0x01;

    private static final int IFA_F_DADFAILED = 0x08;
    private static final int IFA_F_DEPRECATED = 0x20;

    private record Told(int device, NetAddress address, boolean passing) {}

    private NetAddresses() {}

    /** The addresses of each device by its index, in the order of {@link NetDevice#addresses()}. */
    static Map<Integer, List<NetAddress>> byDevice(Netlink netlink) throws LinuxException {
        ByteBuffer body = Netlink.body();
        body.position(IFADDRMSG_BYTES);
        List<Told> told = new ArrayList<>();
        for (ByteBuffer answer : netlink.dump("the IP addresses", RTM_GETADDR, body)) {
            Told t = parse(answer);
            if (t != null) {
                told.add(t);
            }
        }
        told.sort(Comparator.comparing((Told t) -> t.address.address().isLinkLocalAddress())
                .thenComparing(t -> t.address.address() instanceof Inet6Address)
                .thenComparing(Told::passing));
        Map<Integer, List<NetAddress>> byDevice = new HashMap<>();
        told.forEach(
                t -> byDevice.computeIfAbsent(t.device, d -> new ArrayList<>()).add(t.address));
        return byDevice;
    }

    /** Null for an address that is of no use. */
    private static @Nullable Told parse(ByteBuffer answer) {
        Map<Integer, ByteBuffer> attributes = Netlink.attributes(answer, IFADDRMSG_BYTES);
        // on a point-to-point device the one is this end's address, the other the far end's
        ByteBuffer local = attributes.getOrDefault(IFA_LOCAL, attributes.get(IFA_ADDRESS));
        if (local == null) {
            return null;
        }
        ByteBuffer all = attributes.get(IFA_FLAGS);
        int flags = all == null ? answer.get(IFADDRMSG_FLAGS) & 0xff : all.getInt(0);
        int device = answer.getInt(IFADDRMSG_INDEX);
        byte[] bytes = new byte[local.remaining()];
        local.get(0, bytes);
        try {
            InetAddress plain = InetAddress.getByAddress(bytes);
            boolean six = bytes.length == 16;
            if (six && (flags & IFA_F_DADFAILED) != 0) {
                return null;
            }
            // a link-local address means something on its device only
            InetAddress address =
                    six && plain.isLinkLocalAddress() ? Inet6Address.getByAddress(null, bytes, device) : plain;
            boolean passing = six && (flags & (IFA_F_TEMPORARY | IFA_F_DEPRECATED)) != 0;
            return new Told(device, new NetAddress(address, answer.get(IFADDRMSG_PREFIX) & 0xff), passing);
        } catch (UnknownHostException e) {
            return null; // neither four nor sixteen bytes
        }
    }
}
