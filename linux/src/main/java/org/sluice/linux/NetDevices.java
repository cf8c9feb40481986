package org.sluice.linux;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
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
        List<NetDevice> devices = new ArrayList<>();
        try (DeviceControl control = new DeviceControl();
                Netlink netlink = new Netlink(Netlink.ROUTE)) {
            Map<Integer, List<NetAddress>> addresses = NetAddresses.byDevice(netlink);
            for (NetLink link : NetLink.all(netlink)) {
                try {
                    devices.add(read(control, link, addresses.getOrDefault(link.index(), List.of())));
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

    private static NetDevice read(DeviceControl control, NetLink link, List<NetAddress> addresses)
            throws LinuxException {
        String name = link.name();
        int index = link.index();
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
                link.kind(),
                link.master(),
                link.lower(),
                addresses);
    }
}
