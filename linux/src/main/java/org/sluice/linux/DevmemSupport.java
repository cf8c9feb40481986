package org.sluice.linux;

import java.nio.ByteBuffer;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Whether the kernel and a NIC can do devmem TCP, zero-copy TCP from and into device memory. The kernel says so by the commands
 * of its {@code netdev} generic netlink family; a NIC must besides split packet headers from data, which its driver tells with
 * its ring parameters. This is mainline Linux (receive since 6.12, send since 6.16): the kernels of GPUDirect-TCPX carry a
 * private interface, of which nothing here speaks.
 *
 * @param receive whether the kernel has {@code bind-rx}
 * @param send whether the kernel has {@code bind-tx}
 * @param headerSplit of the NIC
 */
public record DevmemSupport(boolean receive, boolean send, HeaderSplit headerSplit) {
    /** Whether a NIC puts the headers of TCP packets and their data into different buffers. */
    public enum HeaderSplit {
        /** The driver does not know of it. */
        UNSUPPORTED,
        OFF,
        ON
    }

    // <linux/genetlink.h>
    private static final int GENL_ID_CTRL = 0x10;
    private static final int GENL_HEAD_BYTES = 4;
    private static final byte CTRL_CMD_GETFAMILY = 3;
    private static final int CTRL_ATTR_FAMILY_ID = 1;
    private static final int CTRL_ATTR_FAMILY_NAME = 2;
    private static final int CTRL_ATTR_OPS = 6;
    private static final int CTRL_ATTR_OP_ID = 1;

    // <linux/netdev.h>
    private static final int NETDEV_CMD_BIND_RX = 13;
    private static final int NETDEV_CMD_BIND_TX = 15;

    // <linux/ethtool_netlink.h>
    private static final byte ETHTOOL_MSG_RINGS_GET = 15;
    private static final int ETHTOOL_A_RINGS_HEADER = 1;
    private static final int ETHTOOL_A_HEADER_DEV_NAME = 2;
    private static final int ETHTOOL_A_RINGS_TCP_DATA_SPLIT = 11;
    private static final int TCP_DATA_SPLIT_DISABLED = 1;
    private static final int TCP_DATA_SPLIT_ENABLED = 2;
    private static final int NLA_F_NESTED = 0x8000;

    private static final int ENOENT = 2;
    private static final int EOPNOTSUPP = 95;

    /** Looks at the running kernel and a NIC. @throws LinuxException when there is no such NIC, or no netlink */
    public static DevmemSupport of(String device) throws LinuxException {
        try (Netlink netlink = new Netlink(Netlink.GENERIC)) {
            Map<Integer, ByteBuffer> netdev = family(netlink, "netdev");
            return new DevmemSupport(
                    has(netdev, NETDEV_CMD_BIND_RX), has(netdev, NETDEV_CMD_BIND_TX), headerSplit(netlink, device));
        }
    }

    /** What the kernel tells of a family; empty where it has none of that name. */
    private static Map<Integer, ByteBuffer> family(Netlink netlink, String name) throws LinuxException {
        ByteBuffer body = Netlink.body();
        body.put(CTRL_CMD_GETFAMILY).put((byte) 1).putShort((short) 0);
        Netlink.put(body, CTRL_ATTR_FAMILY_NAME, name);
        try {
            return Netlink.attributes(
                    netlink.ask("generic netlink family " + name, GENL_ID_CTRL, body), GENL_HEAD_BYTES);
        } catch (LinuxException e) {
            if (e.errno() == ENOENT) {
                return Map.of();
            }
            throw e;
        }
    }

    private static boolean has(Map<Integer, ByteBuffer> family, int command) {
        ByteBuffer commands = family.get(CTRL_ATTR_OPS);
        if (commands == null) {
            return false;
        }
        return Netlink.attributes(commands, 0).values().stream().anyMatch(c -> {
            ByteBuffer id = Netlink.attributes(c, 0).get(CTRL_ATTR_OP_ID);
            return id != null && id.getInt(0) == command;
        });
    }

    private static HeaderSplit headerSplit(Netlink netlink, String device) throws LinuxException {
        @Nullable ByteBuffer family = family(netlink, "ethtool").get(CTRL_ATTR_FAMILY_ID);
        if (family == null) {
            return HeaderSplit.UNSUPPORTED;
        }
        ByteBuffer name = Netlink.body();
        Netlink.put(name, ETHTOOL_A_HEADER_DEV_NAME, device);
        byte[] header = new byte[name.position()];
        name.get(0, header);
        ByteBuffer body = Netlink.body();
        body.put(ETHTOOL_MSG_RINGS_GET).put((byte) 1).putShort((short) 0);
        Netlink.put(body, ETHTOOL_A_RINGS_HEADER | NLA_F_NESTED, header);
        try {
            ByteBuffer split = Netlink.attributes(
                            netlink.ask("rings of " + device, Short.toUnsignedInt(family.getShort(0)), body),
                            GENL_HEAD_BYTES)
                    .get(ETHTOOL_A_RINGS_TCP_DATA_SPLIT);
            return switch (split == null ? 0 : split.get(0)) {
                case TCP_DATA_SPLIT_DISABLED -> HeaderSplit.OFF;
                case TCP_DATA_SPLIT_ENABLED -> HeaderSplit.ON;
                default -> HeaderSplit.UNSUPPORTED;
            };
        } catch (LinuxException e) {
            if (e.errno() == EOPNOTSUPP) {
                return HeaderSplit.UNSUPPORTED;
            }
            throw e;
        }
    }
}
