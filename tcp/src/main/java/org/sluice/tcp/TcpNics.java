package org.sluice.tcp;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.sluice.LeftOut;
import org.sluice.linux.NetAddress;
import org.sluice.linux.NetDevice;
import org.sluice.linux.NetDevices;
import org.sluice.linux.NicChoice;
import org.sluice.linux.Wires;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.Nic;
import org.sluice.spi.TransportException;

/**
 * The NICs that the transport uses: those asked for, or every device that {@link NicChoice} takes for one. Where there is none, and
 * where they are asked for by name, four loopback rails {@code lo1}-{@code lo4} stand in: 127.0.0.1 to 127.0.0.4.
 *
 * @param leftOut the devices that are not used though nobody said so; none where NICs were asked for
 */
record TcpNics(List<Nic> nics, List<LeftOut> leftOut) {
    private static final int LOOPBACK_RAILS = 4;
    private static final String LOOPBACK = "lo";

    TcpNics {
        nics = numbered(nics);
        leftOut = List.copyOf(leftOut);
    }

    /** @param named what the user asked for, in that order; empty for every usable one */
    static TcpNics choose(List<String> named) throws TransportException {
        List<NetDevice> devices;
        try {
            devices = NetDevices.list();
        } catch (IOException e) {
            throw new TransportException("the network devices cannot be read: " + e.getMessage(), e);
        }
        return named.isEmpty() ? every(devices) : named(named, devices);
    }

    private static TcpNics every(List<NetDevice> devices) {
        NicChoice choice = NicChoice.of(devices);
        List<Nic> nics = new ArrayList<>();
        Map<Integer, Integer> wires = Wires.of(devices);
        choice.nics().forEach(d -> nics.add(nic(nics.size(), d, wires)));
        // a rail of theirs is tried as any other, and begins when they have a link
        choice.unplugged().forEach(d -> nics.add(nic(nics.size(), d, wires)));
        if (nics.isEmpty()) {
            for (int i = 1; i <= LOOPBACK_RAILS; i++) {
                nics.add(loopback(nics.size(), i));
            }
        }
        List<String> there = nics.stream().map(Nic::name).toList();
        return new TcpNics(
                nics,
                choice.leftOut().stream()
                        .filter(l -> !there.contains(l.nic()))
                        .map(l -> new LeftOut(l.nic(), l.reason()))
                        .toList());
    }

    private static TcpNics named(List<String> names, List<NetDevice> devices) throws TransportException {
        List<Nic> nics = new ArrayList<>();
        for (String name : names) {
            if (nics.stream().anyMatch(n -> n.name().equals(name))) {
                throw new TransportException("NIC " + name + " is named twice");
            }
            nics.add(find(nics.size(), name, devices));
        }
        return new TcpNics(nics, List.of());
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
        Optional<String> why = NicChoice.whyNotEver(device);
        if (why.isPresent()) {
            throw new TransportException(
                    "NIC " + name + " " + why.get() + "; mend that, or choose other NICs with --nics");
        }
        return nic(number, device, Wires.of(devices));
    }

    private static Nic nic(int number, NetDevice d, Map<Integer, Integer> wires) {
        return nic(
                number,
                d.name(),
                d.name(),
                d.addresses().stream().map(NetAddress::toString).toList(),
                d.pciPath(),
                d.numaNode(),
                d.bitsPerSecond(),
                wires.getOrDefault(d.index(), d.index()));
    }

    /** Numbers wires by the first NIC that each has. */
    private static List<Nic> numbered(List<Nic> nics) {
        List<Integer> wires = nics.stream().map(Nic::wire).toList();
        return nics.stream().map(n -> n.onWire(wires.indexOf(n.wire()))).toList();
    }

    private static Nic loopback(int number, int rail) {
        return nic(number, LOOPBACK + rail, LOOPBACK, List.of("127.0.0." + rail + "/32"), null, -1, 0, -rail);
    }

    private static Nic nic(
            int number,
            String name,
            String kernelDevice,
            List<String> addresses,
            @Nullable String pciPath,
            int numaNode,
            long bitsPerSecond,
            int wire) {
        return new Nic(
                number,
                name,
                kernelDevice,
                addresses,
                pciPath,
                numaNode,
                bitsPerSecond,
                wire,
                Set.of(MemoryKind.HOST),
                Lane.CAPACITY,
                Long.MAX_VALUE,
                false);
    }

    /** One of a NIC's addresses, with the device it belongs to where it means something there only. */
    static InetAddress address(Nic nic, int place) throws TransportException {
        if (place >= nic.addresses().size()) {
            throw new TransportException("NIC " + nic.name() + " has no IP address number " + place);
        }
        String text = nic.addresses().get(place);
        InetAddress literal = InetAddress.ofLiteral(text.substring(0, text.indexOf('/')));
        String device = nic.kernelDevice();
        if (!(literal instanceof Inet6Address) || !literal.isLinkLocalAddress() || device == null) {
            return literal;
        }
        try {
            NetworkInterface i = NetworkInterface.getByName(device);
            return Inet6Address.getByAddress(null, literal.getAddress(), i == null ? 0 : i.getIndex());
        } catch (SocketException | UnknownHostException e) {
            throw new TransportException("NIC " + nic.name() + ": " + e.getMessage(), e);
        }
    }
}
