package org.sluice.linux;

import java.util.Arrays;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Sysfs paths of PCI devices: {@code /sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0}, one step for each bridge. */
final class PciPath {
    /** Domain, bus, device, function, as in every sysfs name of a PCI device. */
    private static final Pattern ADDRESS = Pattern.compile("[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]");

    /** The folder of a host bridge: domain and first bus. */
    private static final Pattern HOST_BRIDGE = Pattern.compile("pci[0-9a-f]{4,8}:[0-9a-f]{2}");

    private PciPath() {}

    /** The way from the host bridge to the device, both included: what comes before a host bridge is no PCI. */
    static String[] steps(String path) {
        return Arrays.stream(path.split("/", -1))
                .filter(s -> isAddress(s) || HOST_BRIDGE.matcher(s).matches())
                .toArray(String[]::new);
    }

    /** Whether {@code name} is an address like {@code 0000:04:00.0}. */
    static boolean isAddress(String name) {
        return ADDRESS.matcher(name).matches();
    }

    /**
     * The PCI device that a device's path leads through last: virtio and other buses hang below it. Null for a device that is
     * on no PCI bus.
     */
    static @Nullable String of(@Nullable String devicePath) {
        String path = devicePath;
        while (path != null && !isAddress(path.substring(path.lastIndexOf('/') + 1))) {
            int up = path.lastIndexOf('/');
            path = up <= 0 ? null : path.substring(0, up);
        }
        return path;
    }
}
