package org.sluice.linux;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An NVIDIA GPU on the PCI bus, whether or not a driver or a container shows it.
 *
 * @param address {@code 0000:04:00.0}
 * @param driver the kernel driver that has it, null where none has
 */
public record PciGpu(String address, @Nullable String driver) {
    private static final String NVIDIA = "0x10de";

    /** Display controllers: class 03, VGA (00) or 3D (02). */
    private static final String DISPLAY = "0x03";

    /** In the order of their addresses. */
    public static List<PciGpu> list(Sysfs sysfs) {
        List<PciGpu> all = new ArrayList<>();
        String folder = "bus/pci/devices/";
        for (String address : sysfs.names(folder)) {
            String vendor = sysfs.text(folder + address + "/vendor");
            String kind = sysfs.text(folder + address + "/class");
            if (NVIDIA.equals(vendor) && kind != null && kind.startsWith(DISPLAY)) {
                String driver = sysfs.canonical(folder + address + "/driver");
                all.add(new PciGpu(address, driver == null ? null : driver.substring(driver.lastIndexOf('/') + 1)));
            }
        }
        return List.copyOf(all);
    }
}
