package org.sluice.engine;

import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.sluice.ConfigException;
import org.sluice.NodeConfig;
import org.sluice.spi.Availability;
import org.sluice.spi.GpuBackend;

/**
 * Which GPUs a node has.
 *
 * @param found in words, with what was not taken and why: {@code host: plain memory in the place of GPU memory (cuda is not used: there is
 *     no CUDA driver: ...)}
 */
record BackendChoice(GpuBackend backend, String found) {
    /** The backend that stands for the best that works here. */
    private static final String AUTO = "auto";

    /** @throws ConfigException when what is configured is not there or cannot be used */
    static BackendChoice of(NodeConfig config) {
        List<GpuBackend> bestFirst = ServiceLoader.load(GpuBackend.class).stream()
                .map(ServiceLoader.Provider::get)
                .sorted(Comparator.comparingInt(GpuBackend::preference).reversed())
                .toList();
        GpuBackend taken = config.devices().backend().equals(AUTO)
                ? best(bestFirst)
                : named(config.devices().backend(), bestFirst);
        String better = bestFirst.stream()
                .filter(b -> config.devices().backend().equals(AUTO) && b.preference() > taken.preference())
                .map(b -> " (" + b.name() + " is not used: " + b.availability().reason() + ")")
                .collect(Collectors.joining());
        return new BackendChoice(
                taken, taken.name() + ": " + taken.availability().reason() + better);
    }

    private static GpuBackend best(List<GpuBackend> all) {
        return all.stream()
                .filter(b -> b.availability().usable())
                .findFirst()
                .orElseThrow(() -> new ConfigException("no GPU backend is on the module path"));
    }

    private static GpuBackend named(String name, List<GpuBackend> all) {
        GpuBackend named = all.stream()
                .filter(b -> b.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ConfigException("there is no GPU backend " + name + "; there are "
                        + all.stream().map(GpuBackend::name).collect(Collectors.joining(", "))));
        Availability a = named.availability();
        if (!a.usable()) {
            throw new ConfigException("GPU backend " + named.name() + " cannot be used here: " + a.reason());
        }
        return named;
    }
}
