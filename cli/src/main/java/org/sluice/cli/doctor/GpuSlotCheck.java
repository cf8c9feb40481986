package org.sluice.cli.doctor;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.NetDevice;
import org.sluice.linux.PciDistance;
import org.sluice.linux.PciGpu;
import org.sluice.linux.Sysfs;
import org.sluice.linux.Topology;
import org.sluice.linux.Topology.Place;

/**
 * Whether the NICs beside the GPUs are those of the job. A network that was added to a machine may get the slot beside a GPU that was
 * meant for the GPU's own NIC: the receive daemon then finds one GPU without, and serves seven of eight.
 */
final class GpuSlotCheck implements Check {
    @Override
    public String name() {
        return "slot";
    }

    @Override
    public List<Finding> look(Patient patient) {
        List<Topology.GpuAddress> gpus = new ArrayList<>();
        for (PciGpu g : PciGpu.list(Sysfs.SYSTEM)) {
            gpus.add(new Topology.GpuAddress("GPU " + g.address(), g.address()));
        }
        List<String> nics = patient.devices().stream()
                .filter(NetDevice::hardware)
                .map(NetDevice::name)
                .toList();
        return judge(
                Topology.read(Sysfs.SYSTEM, gpus, nics),
                patient.nics().stream().map(NetDevice::name).toList(),
                patient.defaultNic());
    }

    /** @param ofJob its NICs; @param defaultNic by which the default route leads, null where there is none */
    List<Finding> judge(Topology topology, Collection<String> ofJob, @Nullable String defaultNic) {
        Map<Place, List<Place>> beside = topology.nics().stream()
                .collect(Collectors.toMap(
                        n -> n,
                        n -> topology.gpus().stream()
                                .filter(g -> topology.distance(n, g) == PciDistance.PIX)
                                .toList()));
        List<Finding> findings = new ArrayList<>();
        for (Place nic : topology.nics()) {
            List<Place> gpus = beside.getOrDefault(nic, List.of());
            boolean stranger = !ofJob.contains(nic.name()) || nic.name().equals(defaultNic);
            if (gpus.isEmpty() || !stranger) {
                continue;
            }
            List<Place> data = topology.nics().stream()
                    .filter(n -> !n.equals(nic)
                            && ofJob.contains(n.name())
                            && !n.name().equals(defaultNic))
                    .filter(n -> !beside.getOrDefault(n, List.of()).isEmpty())
                    .toList();
            boolean hasItsOwn = data.stream()
                    .anyMatch(n -> beside.getOrDefault(n, List.of()).stream().anyMatch(gpus::contains));
            if (!data.isEmpty() && !hasItsOwn) {
                findings.add(
                        Finding.warning(
                                name(),
                                nic.name(),
                                "is on the slot of a GPU's NIC (" + nic.pciAddress() + ", beside "
                                        + gpus.stream().map(Place::name).collect(Collectors.joining(", "))
                                        + ") and is none of the job's data NICs, so that GPU has none of its own",
                                "make the machine with the GPUs' networks alone besides the first one, or use this NIC for data"));
            }
        }
        return findings;
    }
}
