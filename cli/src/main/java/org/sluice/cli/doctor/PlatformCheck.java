package org.sluice.cli.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import org.sluice.cli.plan.JobPlan;
import org.sluice.linux.NetDevice;
import org.sluice.linux.Sysctl;
import org.sluice.spi.EnvironmentVariable;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportException;
import org.sluice.spi.TransportProvider;

/** Whether a Google Cloud A3 machine is set up as Google publishes it for its plugin, by the profile for it. */
final class PlatformCheck implements Check {
    /** Without which nothing moves, or on which both ends must agree. */
    private static final Set<String> GRAVE = Set.of(
            "NCCL_DYNAMIC_CHUNK_SIZE",
            "NCCL_GPUDIRECTTCPX_RECV_SYNC",
            "NCCL_GPUDIRECTTCPX_CTRL_DEV",
            "NCCL_FASTRAK_CTRL_DEV",
            "NCCL_FASTRAK_USE_SNAP",
            "NCCL_NVLSTREE_MAX_CHUNKSIZE",
            "NCCL_NSOCKS_PERTHREAD");

    /** Bytes that a socket may hold for what goes along with data; each zero-copy send takes some. */
    private static final long OPTION_MEMORY = 131_072;

    private static final String APERTURE = "NCCL_FASTRAK_LLCM_DEVICE_DIRECTORY";

    @Override
    public String name() {
        return "a3";
    }

    @Override
    public List<Finding> look(Patient patient) throws IOException {
        Optional<String> profile = profile(patient.plan(), System.getenv());
        if (profile.isEmpty()) {
            return List.of();
        }
        TransportConfig config = new TransportConfig(patient.plan().nics(), 1, 0, Map.of("profile", profile.get()));
        for (TransportProvider p : ServiceLoader.load(TransportProvider.class)) {
            if (p.name().equals("nccl-net")) {
                try {
                    return judge(
                            profile.get(),
                            p.environment(config),
                            patient.devices().stream().map(NetDevice::name).toList(),
                            Sysctl.number("net/core/optmem_max", OPTION_MEMORY));
                } catch (TransportException e) {
                    return List.of(Finding.problem(
                            name(), profile.get(), String.valueOf(e.getMessage()), "correct --profile"));
                }
            }
        }
        return List.of();
    }

    /** As was said, or else as the environment is for one of the two plugins. */
    static Optional<String> profile(JobPlan plan, Map<String, String> environment) {
        String said = plan.profile();
        if (said != null) {
            return Optional.of(said);
        }
        String plugin = plan.plugin() == null ? "" : plan.plugin().toString();
        if (plugin.contains("tcpxo") || environment.keySet().stream().anyMatch(v -> v.startsWith("NCCL_FASTRAK_"))) {
            return Optional.of("a3-mega");
        }
        boolean tcpx = environment.keySet().stream()
                .anyMatch(v -> v.startsWith("NCCL_GPUDIRECTTCPX_") && !v.endsWith("_UNIX_CLIENT_PREFIX"));
        return tcpx ? Optional.of("a3-high") : Optional.empty();
    }

    /** @param optionMemory the kernel's {@code net.core.optmem_max} */
    List<Finding> judge(String profile, List<EnvironmentVariable> published, List<String> devices, long optionMemory) {
        List<Finding> findings = new ArrayList<>();
        for (EnvironmentVariable v : published) {
            String users = v.users();
            if (users != null && !users.equals(v.value())) {
                String found = "is " + users + ", published for this machine is " + v.value() + " (" + v.why() + ")";
                String advice =
                        "unset it and use --profile " + profile + ", or set the same on both hosts and know why";
                findings.add(
                        GRAVE.contains(v.name())
                                ? Finding.warning(name(), v.name(), found, advice)
                                : Finding.note(name(), v.name(), found, advice));
            }
            if (v.name().endsWith("_IFNAME")) {
                nics(findings, profile, v, devices);
            }
            if (v.name().equals(APERTURE) && !Files.isDirectory(Path.of(users == null ? v.value() : users))) {
                findings.add(Finding.warning(
                        name(),
                        v.name(),
                        "the folder " + (users == null ? v.value() : users) + " is not there",
                        "mount it into the container (GKE: a hostPath volume of the same name)"));
            }
        }
        if (optionMemory < OPTION_MEMORY) {
            findings.add(Finding.warning(
                    name(),
                    "optmem_max",
                    "is " + optionMemory + ": zero-copy sends in flight run out of it",
                    "sysctl -w net.core.optmem_max=" + OPTION_MEMORY));
        }
        if (findings.isEmpty()) {
            findings.add(Finding.ok(name(), profile, "set up as published"));
        }
        return findings;
    }

    private void nics(List<Finding> findings, String profile, EnvironmentVariable v, List<String> devices) {
        String users = v.users();
        for (String nic : (users == null ? v.value() : users).split(",", -1)) {
            boolean sign = nic.startsWith("^") || nic.startsWith("=") || nic.isBlank();
            if (!sign && devices.stream().noneMatch(d -> d.startsWith(nic))) {
                findings.add(Finding.problem(
                        name(),
                        nic,
                        "a machine of profile " + profile + " has this data NIC, and here is none",
                        "make the node pool with all its additional networks, let the pod have them"
                                + " (networking.gke.io/interfaces), or name those there are with --nics"));
            }
        }
    }
}
