package org.sluice.linux;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel's routing socket says of a network device: what it is, and which others it belongs to or stands on.
 *
 * @param kind what made it, null for hardware
 * @param master index of the device it is a part of, 0 for none
 * @param lower index of the device below it in this namespace, 0 for none
 */
record NetLink(int index, String name, @Nullable String kind, int master, int lower) {
    // <linux/rtnetlink.h>, <linux/if_link.h>
    private static final int RTM_GETLINK = 18;
    private static final int IFINFOMSG_BYTES = 16;
    private static final int IFINFOMSG_INDEX = 4;
    private static final int IFLA_IFNAME = 3;
    private static final int IFLA_LINK = 5;
    private static final int IFLA_MASTER = 10;
    private static final int IFLA_LINKINFO = 18;
    private static final int IFLA_LINK_NETNSID = 37;
    private static final int IFLA_INFO_KIND = 1;

    /** Every device of this network namespace. */
    static List<NetLink> all(Netlink netlink) throws LinuxException {
        ByteBuffer body = Netlink.body();
        body.position(IFINFOMSG_BYTES);
        List<NetLink> links = new ArrayList<>();
        for (ByteBuffer answer : netlink.dump("the network devices", RTM_GETLINK, body)) {
            links.add(parse(answer));
        }
        return links;
    }

    static NetLink parse(ByteBuffer answer) {
        Map<Integer, ByteBuffer> told = Netlink.attributes(answer, IFINFOMSG_BYTES);
        ByteBuffer name = told.get(IFLA_IFNAME);
        ByteBuffer info = told.get(IFLA_LINKINFO);
        ByteBuffer kind = info == null ? null : Netlink.attributes(info, 0).get(IFLA_INFO_KIND);
        String what = kind == null ? null : text(kind);
        // the other end of a veth pair is told where others tell the device they stand on
        boolean standsHere = !"veth".equals(what) && !told.containsKey(IFLA_LINK_NETNSID);
        int index = answer.getInt(IFINFOMSG_INDEX);
        int lower = standsHere ? number(told.get(IFLA_LINK)) : 0;
        return new NetLink(
                index, name == null ? "" : text(name), what, number(told.get(IFLA_MASTER)), lower == index ? 0 : lower);
    }

    private static int number(@Nullable ByteBuffer value) {
        return value == null || value.remaining() < Integer.BYTES ? 0 : value.getInt(0);
    }

    private static String text(ByteBuffer value) {
        byte[] bytes = new byte[value.remaining()];
        value.get(0, bytes);
        String all = new String(bytes, StandardCharsets.UTF_8);
        int end = all.indexOf('\0');
        return end < 0 ? all : all.substring(0, end);
    }
}
