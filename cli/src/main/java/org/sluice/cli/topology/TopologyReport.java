package org.sluice.cli.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.NetDevice;
import org.sluice.linux.Topology;
import org.sluice.linux.Topology.Place;

/**
 * What {@code sluice topo --json} prints.
 *
 * @param gpuNote why there are no GPUs, where there are none
 * @param distances of every two devices, GPUs first
 */
public record TopologyReport(
        List<Numa> numaNodes, List<Gpu> gpus, @Nullable String gpuNote, List<Nic> nics, List<Distance> distances) {
    public record Numa(int id, String cpus) {}

    public record Gpu(String name, String model, @Nullable String pciAddress, int numaNode, String cpus) {}

    /** @param bitsPerSecond 0 where unknown @param numaNode -1 where unknown */
    public record Nic(
            String name,
            String state,
            int mtu,
            long bitsPerSecond,
            @Nullable String driver,
            @Nullable String pciAddress,
            @Nullable String pciPath,
            int numaNode,
            String cpus,
            int rxQueues,
            int txQueues,
            List<String> addresses) {}

    /** @param distance X, PIX, PXB, PHB, NODE, SYS as nvidia-smi has them, ? where one of the two is on no PCI bus */
    public record Distance(String from, String to, String distance) {}

    /** @param models of the GPUs of {@code topology}, in its order */
    public static TopologyReport of(
            Topology topology, List<String> models, @Nullable String gpuNote, List<NetDevice> devices) {
        List<Gpu> gpus = new ArrayList<>();
        for (int i = 0; i < topology.gpus().size(); i++) {
            Place p = topology.gpus().get(i);
            gpus.add(new Gpu(p.name(), models.get(i), p.pciAddress(), p.numaNode(), cpus(topology, p)));
        }
        List<Nic> nics = topology.nics().stream()
                .map(p -> nic(topology, p, device(devices, p.name())))
                .toList();
        return new TopologyReport(
                topology.numaNodes().stream()
                        .map(n -> new Numa(n.id(), n.cpus().toString()))
                        .toList(),
                gpus,
                gpuNote,
                nics,
                distances(topology));
    }

    private static @Nullable NetDevice device(List<NetDevice> devices, String name) {
        return devices.stream().filter(d -> d.name().equals(name)).findFirst().orElse(null);
    }

    private static Nic nic(Topology topology, Place p, @Nullable NetDevice d) {
        if (d == null) {
            return new Nic(
                    p.name(),
                    "unknown",
                    0,
                    0,
                    null,
                    p.pciAddress(),
                    p.pciPath(),
                    p.numaNode(),
                    cpus(topology, p),
                    0,
                    0,
                    List.of());
        }
        String state = d.running() ? "running" : d.up() ? "no link" : "down";
        return new Nic(
                p.name(),
                state,
                d.mtu(),
                d.bitsPerSecond(),
                d.driver(),
                p.pciAddress(),
                p.pciPath(),
                p.numaNode(),
                cpus(topology, p),
                d.rxQueues(),
                d.txQueues(),
                d.addresses().stream().map(Object::toString).toList());
    }

    private static String cpus(Topology topology, Place p) {
        return topology.cpusNear(p).toString();
    }

    private static List<Distance> distances(Topology topology) {
        List<Place> all = new ArrayList<>(topology.gpus());
        all.addAll(topology.nics());
        List<Distance> distances = new ArrayList<>();
        for (Place from : all) {
            for (Place to : all) {
                distances.add(new Distance(
                        from.name(), to.name(), topology.distance(from, to).symbol()));
            }
        }
        return distances;
    }

    /** Between two devices by name. */
    String distance(String from, String to) {
        return find(from, to).orElse("?");
    }

    private Optional<String> find(String from, String to) {
        return distances.stream()
                .filter(d -> Objects.equals(d.from(), from) && Objects.equals(d.to(), to))
                .map(Distance::distance)
                .findFirst();
    }
}
