package org.sluice.cli.topology;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sluice.ConfigException;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.Json;
import org.sluice.cli.common.NicNames;
import org.sluice.cli.common.Version;
import org.sluice.linux.NetDevice;
import org.sluice.linux.NetDevices;
import org.sluice.linux.Sysfs;
import org.sluice.linux.Topology;
import org.sluice.linux.Topology.GpuAddress;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sluice topo}: how far GPUs, NICs and CPUs are from each other. */
@Command(
        name = "topo",
        header = "Shows GPUs, NICs and CPUs, and how far they are from each other.",
        customSynopsis = "sluice topo [OPTIONS]",
        footer = "Example: sluice topo --svg node.svg",
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
public final class TopoCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--nics",
            paramLabel = "<a,b>",
            split = ",",
            hideParamSyntax = true,
            description = "only these NICs (all but loopback)")
    private List<String> nics = List.of();

    @Option(names = "--svg", paramLabel = "<file>", description = "draw it into this file as well")
    private @Nullable Path svg;

    @Option(names = "--json", description = "print it as one JSON document")
    private boolean json;

    /** The PCI GPUs of the best backend, or why there are none. */
    private record Gpus(
            List<GpuAddress> addresses,
            List<String> models,
            @Nullable String note) {
        static Gpus find() {
            GpuBackend best = ServiceLoader.load(GpuBackend.class).stream()
                    .map(ServiceLoader.Provider::get)
                    .filter(b -> b.availability().usable())
                    .max(Comparator.comparingInt(GpuBackend::preference))
                    .orElseThrow(() -> new ConfigException("no GPU backend is on the module path"));
            List<GpuAddress> addresses = new ArrayList<>();
            List<String> models = new ArrayList<>();
            for (int g = 0; g < best.defaultCount(); g++) {
                try (Gpu gpu = best.open(g)) {
                    if (gpu.pciBusId() != null) {
                        addresses.add(new GpuAddress("GPU" + g, gpu.pciBusId()));
                        models.add(gpu.name());
                    }
                }
            }
            String note = addresses.isEmpty() ? "the " + best.name() + " backend's GPUs are on no PCI bus" : null;
            return new Gpus(addresses, models, note);
        }
    }

    @Override
    public Integer call() throws IOException {
        List<NetDevice> devices = NetDevices.list();
        List<String> names = nics.isEmpty()
                ? devices.stream()
                        .filter(d -> !d.loopback())
                        .map(NetDevice::name)
                        .toList()
                : NicNames.of(nics).here();
        for (String name : names) {
            if (devices.stream().noneMatch(d -> d.name().equals(name))) {
                throw new ConfigException("there is no NIC " + name + " here");
            }
        }
        Gpus gpus = Gpus.find();
        TopologyReport report = TopologyReport.of(
                Topology.read(Sysfs.SYSTEM, gpus.addresses(), names), gpus.models(), gpus.note(), devices);
        if (svg != null) {
            try {
                Files.writeString(svg, TopologySvg.of(report));
            } catch (IOException e) {
                throw new ConfigException("the drawing cannot be written to " + svg + ": " + e, e);
            }
        }
        PrintWriter out = spec.commandLine().getOut();
        out.print(json ? Json.of(report) : TopologyTable.of(report));
        out.flush();
        return ExitCode.OK;
    }
}
