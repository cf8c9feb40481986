package org.sluice.linux;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads the network devices of this process's network namespace. Any thread may call it. */
public final class NetDevices {
    private NetDevices() {}

    /**
     * Every device, by its index; with or without addresses, up or down.
     *
     * @throws IOException when the kernel does not tell which devices there are
     */
    public static List<NetDevice> list() throws IOException {
        Map<String, List<NetAddress>> addresses = addresses();
        List<NetDevice> devices = new ArrayList<>();
        try (DeviceControl control = new DeviceControl()) {
            for (String name : NetCounters.readAll().keySet()) {
                try {
                    devices.add(read(control, name, addresses.getOrDefault(name, List.of())));
                } catch (LinuxException e) {
                    // gone since the kernel named it
                }
            }
        }
        devices.sort(Comparator.comparingInt(NetDevice::index));
        return List.copyOf(devices);
    }

    /** The device of this name, if there is one. */
    public static Optional<NetDevice> find(String name) throws IOException {
        return list().stream().filter(d -> d.name().equals(name)).findFirst();
    }

    private static NetDevice read(DeviceControl control, String name, List<NetAddress> addresses)
            throws LinuxException {
        int index = control.index(name);
        int flags = control.flags(name);
        boolean up = (flags & DeviceControl.IFF_UP) != 0;
        boolean running = up && (flags & DeviceControl.IFF_RUNNING) != 0;
        Sysfs sysfs = Sysfs.SYSTEM;
        String folder = "class/net/" + name + "/";
        if (sysfs.number(folder + "ifindex", -1) != index) {
            folder = "no such folder/"; // this sysfs was mounted in another network namespace
        }
        NetHardware hardware = NetHardware.read(sysfs, folder);
        return new NetDevice(
                name,
                index,
                up,
                running,
                sysfs.number(folder + "carrier", running ? 1 : 0) == 1,
                (flags & DeviceControl.IFF_LOOPBACK) != 0,
                control.mtu(name),
                hardware.bitsPerSecond(),
                hardware.driver() != null ? hardware.driver() : Ethtool.driver(control, name),
                hardware.numaNode(),
                hardware.pciPath(),
                hardware.rxQueues(),
                hardware.txQueues(),
                addresses);
    }

    private static Map<String, List<NetAddress>> addresses() throws IOException {
        Map<String, List<NetAddress>> byName = new HashMap<>();
        for (NetworkInterface i : NetworkInterface.networkInterfaces().toList()) {
            List<NetAddress> its = new ArrayList<>();
            for (InterfaceAddress a : i.getInterfaceAddresses()) {
                its.add(new NetAddress(a.getAddress(), a.getNetworkPrefixLength()));
            }
            its.sort(Comparator.comparing((NetAddress a) -> a.address().isLinkLocalAddress())
                    .thenComparing(a -> !(a.address() instanceof Inet4Address)));
            byName.put(i.getName(), its);
        }
        return byName;
    }
}
