package org.sluice.linux;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which network devices are NICs: ways off this host for packets. What a device is decides, never its name. What is left out is
 * told with the reason.
 *
 * @param nics by their index
 * @param unplugged what would be one if it had a link; a link may come
 * @param leftOut every other device but the loopback device, and those without a link
 */
public record NicChoice(List<NetDevice> nics, List<NetDevice> unplugged, List<LeftOut> leftOut) {
    /** A device that is not used. @param reason continues its name: {@code is down} */
    public record LeftOut(String nic, String reason) {
        /** {@code eth3 is down}. */
        @Override
        public String toString() {
            return nic + " " + reason;
        }
    }

    /** Devices whose packets leave wrapped up, by another NIC of this host. */
    private static final Set<String> TUNNELS = Set.of(
            "amt",
            "bareudp",
            "erspan",
            "geneve",
            "gre",
            "gretap",
            "gtp",
            "ip6erspan",
            "ip6gre",
            "ip6gretap",
            "ip6tnl",
            "ipip",
            "ovpn",
            "ppp",
            "sit",
            "tun",
            "vti",
            "vti6",
            "vxlan",
            "wireguard",
            "xfrm");

    private static final Set<String> DEAD_ENDS = Set.of("dummy", "ifb", "nlmon", "netdevsim", "vrf");

    /** Ports of a bridge behind which there are only containers and virtual machines, on a host that has hardware. */
    private static final Set<String> INSIDE = Set.of("veth", "tun", "dummy", "ifb");

    public NicChoice {
        nics = List.copyOf(nics);
        unplugged = List.copyOf(unplugged);
        leftOut = List.copyOf(leftOut);
    }

    /** Looks at the devices of this network namespace. @param all every one */
    public static NicChoice of(List<NetDevice> all) {
        List<NetDevice> nics = new ArrayList<>();
        List<NetDevice> tunnels = new ArrayList<>();
        List<NetDevice> unplugged = new ArrayList<>();
        List<LeftOut> leftOut = new ArrayList<>();
        for (NetDevice d : all) {
            if (d.loopback()) {
                continue;
            }
            Optional<String> why = whyNot(d, all);
            if (why.isEmpty() && !d.running()) {
                unplugged.add(d);
                leftOut.add(new LeftOut(d.name(), "has no link"));
            } else if (why.isPresent()) {
                leftOut.add(new LeftOut(d.name(), why.get()));
            } else if (TUNNELS.contains(String.valueOf(d.kind()))) {
                tunnels.add(d);
            } else {
                nics.add(d);
            }
        }
        if (nics.isEmpty()) {
            return new NicChoice(tunnels, unplugged, leftOut);
        }
        for (NetDevice t : tunnels) {
            leftOut.add(new LeftOut(
                    t.name(), "is a tunnel (" + t.kind() + ") through other NICs; name it with --nics to use it"));
        }
        return new NicChoice(nics, unplugged, leftOut);
    }

    /** Why this device is no NIC, whether it has a link or not; empty for one that is. */
    private static Optional<String> whyNot(NetDevice d, List<NetDevice> all) {
        Optional<String> state = whyNotEver(d);
        if (state.isPresent()) {
            return state;
        }
        String kind = String.valueOf(d.kind());
        if (DEAD_ENDS.contains(kind)) {
            return Optional.of("is a device of the kind " + kind + ", which leads nowhere");
        }
        Optional<String> master = all.stream()
                .filter(m -> m.index() == d.master() && !"vrf".equals(m.kind()))
                .map(NetDevice::name)
                .findFirst();
        if (master.isPresent()) {
            return Optional.of("belongs to " + master.get() + ", which is the NIC");
        }
        if (kind.equals("bridge")) {
            return whyNotBridge(d, all);
        }
        if (addresses(d, false).isEmpty()) {
            return Optional.of("has no IP address but an IPv6 link-local one; name it with --nics to use that");
        }
        return Optional.empty();
    }

    /** What keeps a device from being used even by one who names it. */
    public static Optional<String> whyNotEver(NetDevice d) {
        if (d.addresses().isEmpty()) {
            return Optional.of("has no IP address" + (d.up() ? "" : " and is down"));
        }
        return d.up() ? Optional.empty() : Optional.of("is down");
    }

    private static Optional<String> whyNotBridge(NetDevice bridge, List<NetDevice> all) {
        List<NetDevice> ports =
                all.stream().filter(p -> p.master() == bridge.index()).toList();
        if (ports.isEmpty()) {
            return Optional.of("is a bridge without a port");
        }
        // in a container a veth is the way out; on a host with hardware it is the way into a container
        boolean host = all.stream().anyMatch(NetDevice::hardware);
        if (ports.stream().allMatch(p -> leadsInside(p, host))) {
            return Optional.of("is a bridge whose ports ("
                    + ports.stream().map(NetDevice::name).collect(Collectors.joining(", "))
                    + ") lead to containers and virtual machines of this host only");
        }
        if (addresses(bridge, false).isEmpty()) {
            return Optional.of("has no IP address but an IPv6 link-local one; name it with --nics to use that");
        }
        return Optional.empty();
    }

    private static boolean leadsInside(NetDevice port, boolean host) {
        String kind = String.valueOf(port.kind());
        return INSIDE.contains(kind) && (host || !kind.equals("veth"));
    }

    /**
     * The addresses that a peer may be told, best first. An IPv6 link-local address is one only where the NIC was named and has no
     * other: every device has it, and it says nothing about where the device leads.
     */
    public static List<NetAddress> addresses(NetDevice d, boolean named) {
        List<NetAddress> lasting =
                d.addresses().stream().filter(a -> !isLinkLocal6(a.address())).toList();
        return lasting.isEmpty() && named ? d.addresses() : lasting;
    }

    private static boolean isLinkLocal6(InetAddress a) {
        return a instanceof Inet6Address && a.isLinkLocalAddress();
    }
}
