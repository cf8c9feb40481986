package org.sluice.tcp;

import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.NetAddress;
import org.sluice.linux.NetDevice;
import org.sluice.linux.NetDevices;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.Nic;
import org.sluice.spi.TransportException;

/**
 * Which NICs the transport uses: those asked for, or every one that is up, has an address and leads off this host. Where there is
 * none, and where they are asked for by name, four loopback rails {@code lo1}-{@code lo4} stand in: 127.0.0.1 to 127.0.0.4.
 */
final class TcpNics {
    private static final int LOOPBACK_RAILS = 4;
    private static final String LOOPBACK = "lo";

    /** Devices that containers and virtual machines of this host hang on: up, with an address, and leading nowhere else. */
    private static final List<String> BRIDGES = List.of("docker", "br-", "virbr", "cni", "flannel", "kube-", "podman");

    private TcpNics() {}

    /** @param named what the user asked for, in that order; empty for every usable one */
    static List<Nic> choose(List<String> named) throws TransportException {
        List<NetDevice> devices;
        try {
            devices = NetDevices.list();
        } catch (IOException e) {
            throw new TransportException("the network devices cannot be read: " + e.getMessage(), e);
        }
        List<Nic> nics = new ArrayList<>();
        if (named.isEmpty()) {
            devices.stream().filter(TcpNics::isUsable).forEach(d -> nics.add(nic(nics.size(), d)));
            if (nics.isEmpty()) {
                for (int i = 1; i <= LOOPBACK_RAILS; i++) {
                    nics.add(loopback(nics.size(), i));
                }
            }
            return nics;
        }
        for (String name : named) {
            if (nics.stream().anyMatch(n -> n.name().equals(name))) {
                throw new TransportException("NIC " + name + " is named twice");
            }
            nics.add(find(nics.size(), name, devices));
        }
        return nics;
    }

    private static Nic find(int number, String name, List<NetDevice> devices) throws TransportException {
        for (int i = 1; i <= LOOPBACK_RAILS; i++) {
            if (name.equals(LOOPBACK + i)) {
                return loopback(number, i);
            }
        }
        NetDevice device = devices.stream()
                .filter(d -> d.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new TransportException("there is no NIC " + name + " here; there are "
                        + devices.stream().map(NetDevice::name).collect(Collectors.joining(", ")) + ", and lo1 to lo"
                        + LOOPBACK_RAILS + " for rails on this host"));
        if (device.addresses().isEmpty()) {
            throw new TransportException("NIC " + name + " has no IP address" + (device.up() ? "" : " and is down")
                    + "; give it one, or choose other NICs with --nics");
        }
        if (!device.up()) {
            throw new TransportException("NIC " + name + " is down; set it up, or choose other NICs with --nics");
        }
        return nic(number, device);
    }

    private static boolean isUsable(NetDevice d) {
        return d.running()
                && !d.loopback()
                && !addresses(d).isEmpty()
                && BRIDGES.stream().noneMatch(d.name()::startsWith);
    }

    /** Without link-local ones, which need a scope that the peer does not know. */
    private static List<NetAddress> addresses(NetDevice d) {
        return d.addresses().stream()
                .filter(a -> !a.address().isLinkLocalAddress())
                .toList();
    }

    private static Nic nic(int number, NetDevice d) {
        List<String> addresses = addresses(d).stream().map(NetAddress::toString).toList();
        return nic(number, d.name(), d.name(), addresses, d.pciPath(), d.numaNode(), d.bitsPerSecond());
    }

    private static Nic loopback(int number, int rail) {
        return nic(number, LOOPBACK + rail, LOOPBACK, List.of("127.0.0." + rail + "/32"), null, -1, 0);
    }

    private static Nic nic(
            int number,
            String name,
            String kernelDevice,
            List<String> addresses,
            @Nullable String pciPath,
            int numaNode,
            long bitsPerSecond) {
        return new Nic(
                number,
                name,
                kernelDevice,
                addresses,
                pciPath,
                numaNode,
                bitsPerSecond,
                Set.of(MemoryKind.HOST),
                Lane.CAPACITY,
                Long.MAX_VALUE,
                false);
    }

    /** The address that channels on this NIC use. */
    static InetAddress address(Nic nic) throws TransportException {
        if (nic.addresses().isEmpty()) {
            throw new TransportException("NIC " + nic.name() + " has no IP address");
        }
        String first = nic.addresses().getFirst();
        return InetAddress.ofLiteral(first.substring(0, first.indexOf('/')));
    }
}
