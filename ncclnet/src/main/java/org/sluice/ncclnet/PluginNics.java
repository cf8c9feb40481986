package org.sluice.ncclnet;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.Nic;
import org.sluice.spi.TransportException;

/** A plugin's devices as NICs: its own word, and the kernel's where a device has the name of one of its. */
final class PluginNics {
    private static final Logger log = LoggerFactory.getLogger(PluginNics.class);
    private static final Path KERNEL_NICS = Path.of("/sys/class/net");

    /**
     * Longest message where sizes are ints: with it, registrations of 2 GiB - 4 KiB that start every GiB leave no message
     * without one that holds it whole.
     */
    private static final long MOST_INT_MESSAGE = NetApi.INT_BYTES - NcclNetRegistration.STRIDE;

    private PluginNics() {}

    /** A NIC, and the plugin's number for its device. */
    record PluginNic(Nic nic, int pluginDevice) {}

    /** Every usable device, or those named, in that order. */
    static List<PluginNic> choose(Plugin plugin, List<String> names, int requests) throws TransportException {
        Map<String, Integer> byName = new HashMap<>();
        List<DeviceProperties> devices = plugin.devices();
        List<String> all = new ArrayList<>();
        for (int d = 0; d < devices.size(); d++) {
            String name = devices.get(d).name();
            // two ports of one card may share a name; a NIC's is unique
            String unique = byName.containsKey(name) ? name + "#" + d : name;
            byName.put(unique, d);
            all.add(unique);
        }
        List<PluginNic> chosen = new ArrayList<>();
        for (String name : names.isEmpty() ? all : names) {
            Integer device = byName.get(name);
            if (device == null) {
                throw new TransportException(
                        "there is no NIC " + name + "; " + plugin + " has " + String.join(", ", all));
            }
            DeviceProperties p = devices.get(device);
            if (isUsable(plugin, name, p)) {
                chosen.add(new PluginNic(nic(chosen.size(), name, p, plugin.api(), requests), device));
            }
        }
        if (chosen.isEmpty()) {
            throw new TransportException(plugin + " has no usable device");
        }
        return chosen;
    }

    private static boolean isUsable(Plugin plugin, String name, DeviceProperties p) throws TransportException {
        if (p.deviceType() != DeviceProperties.DEVICE_HOST && !p.unpacks()) {
            log.warn(
                    "{}: device {} is of type {}, which is not for sending and receiving",
                    plugin,
                    name,
                    p.deviceType());
            return false;
        }
        if (p.unpacks() && p.deviceVersion() != DeviceProperties.UNPACK_VERSION) {
            throw new TransportException(plugin + ": device " + name + " unpacks by version " + p.deviceVersion()
                    + " of the protocol, known is " + DeviceProperties.UNPACK_VERSION);
        }
        if (p.unpacks() && PluginEnvironment.mostUnpacked() < 4096) {
            throw new TransportException("NCCL_DYNAMIC_CHUNK_SIZE is below 4096, with which " + plugin
                    + " moves nothing; unset it, or set it to the chunk size");
        }
        return true;
    }

    private static Nic nic(int index, String name, DeviceProperties p, NetApi api, int requests) {
        String kernelDevice = isKernelDevice(p.name()) ? p.name() : null;
        String pciPath = pciPath(p, kernelDevice);
        return new Nic(
                index,
                name,
                kernelDevice,
                kernelDevice == null ? List.of() : addresses(kernelDevice),
                pciPath,
                numaNode(pciPath),
                p.megabitsPerSecond() * 1_000_000L,
                index,
                memory(p),
                requests,
                longest(p, api),
                p.unpacks());
    }

    private static long longest(DeviceProperties p, NetApi api) {
        if (p.unpacks()) {
            return PluginEnvironment.mostUnpacked() & -4096L;
        }
        long most = Math.min(api.mostSent(), api.mostRegistered());
        if (most <= NetApi.INT_BYTES) {
            most = MOST_INT_MESSAGE;
        }
        return p.maxBytes() > 0 ? Math.min(most, p.maxBytes()) : most;
    }

    private static Set<MemoryKind> memory(DeviceProperties p) {
        Set<MemoryKind> kinds = EnumSet.noneOf(MemoryKind.class);
        if ((p.memoryTypes() & DeviceProperties.PTR_HOST) != 0) {
            kinds.add(MemoryKind.HOST);
        }
        if ((p.memoryTypes() & DeviceProperties.PTR_CUDA) != 0) {
            kinds.add(MemoryKind.CUDA);
        }
        if ((p.memoryTypes() & DeviceProperties.PTR_DMABUF) != 0) {
            kinds.add(MemoryKind.DMABUF);
        }
        return kinds;
    }

    private static boolean isKernelDevice(String name) {
        return !name.isEmpty() && !name.contains("/") && Files.exists(KERNEL_NICS.resolve(name));
    }

    private static @Nullable String pciPath(DeviceProperties p, @Nullable String kernelDevice) {
        Path path = !p.pciPath().isEmpty()
                ? Path.of(p.pciPath())
                : kernelDevice != null ? KERNEL_NICS.resolve(kernelDevice).resolve("device") : null;
        if (path == null) {
            return null;
        }
        try {
            return path.toRealPath().toString();
        } catch (IOException e) {
            return p.pciPath().isEmpty() ? null : p.pciPath();
        }
    }

    private static int numaNode(@Nullable String pciPath) {
        if (pciPath == null) {
            return -1;
        }
        try {
            return Integer.parseInt(
                    Files.readString(Path.of(pciPath).resolve("numa_node")).strip());
        } catch (IOException | NumberFormatException e) {
            return -1;
        }
    }

    private static List<String> addresses(String kernelDevice) {
        try {
            NetworkInterface nic = NetworkInterface.getByName(kernelDevice);
            if (nic == null) {
                return List.of();
            }
            List<String> all = new ArrayList<>();
            for (InterfaceAddress a : nic.getInterfaceAddresses()) {
                InetAddress address = a.getAddress();
                if (!address.isLinkLocalAddress()) {
                    String text = address.getHostAddress();
                    int scope = address instanceof Inet6Address ? text.indexOf('%') : -1;
                    all.add((scope < 0 ? text : text.substring(0, scope)) + "/" + a.getNetworkPrefixLength());
                }
            }
            return all;
        } catch (SocketException e) {
            return List.of();
        }
    }
}
