package org.sluice.linux;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An interrupt line of a device.
 *
 * @param number the kernel's
 * @param cpus where it is served: the CPUs it really goes to, not only those it may
 */
public record Interrupt(int number, CpuSet cpus) {
    /** The message-signalled interrupts of a PCI device. @param pciPath as {@link NetDevice#pciPath()} gives it */
    public static List<Interrupt> of(Sysfs sysfs, Sysfs procfs, @Nullable String pciPath) {
        List<Interrupt> all = new ArrayList<>();
        if (pciPath == null) {
            return all;
        }
        for (String number : sysfs.names(pciPath.substring("/sys/".length()) + "/msi_irqs")) {
            String cpus = procfs.text("irq/" + number + "/effective_affinity_list");
            if (cpus == null) {
                cpus = procfs.text("irq/" + number + "/smp_affinity_list");
            }
            if (cpus != null) {
                all.add(new Interrupt(Integer.parseInt(number), CpuSet.parse(cpus)));
            }
        }
        return all;
    }
}
