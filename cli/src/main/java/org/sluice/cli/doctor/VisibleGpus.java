package org.sluice.cli.doctor;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.sluice.linux.PciGpu;
import org.sluice.linux.Sysfs;

/**
 * The GPUs that are on the bus beside those that CUDA shows to this process.
 *
 * @param onBus every one, in the order of addresses
 * @param visible how many CUDA shows
 * @param nodes how many device files {@code /dev/nvidiaN} there are
 * @param narrowing variables that take GPUs away from CUDA, with their values
 */
record VisibleGpus(List<PciGpu> onBus, int visible, int nodes, Map<String, String> narrowing) {
    private static final List<String> VARIABLES = List.of("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES");

    /** @param visible how many CUDA shows */
    static VisibleGpus here(int visible) throws IOException {
        Map<String, String> narrowing = new TreeMap<>(System.getenv());
        narrowing.keySet().retainAll(VARIABLES);
        narrowing.values().removeIf(v -> v.isBlank() || v.equals("all"));
        int nodes = 0;
        try (DirectoryStream<Path> found = Files.newDirectoryStream(Path.of("/dev"), "nvidia[0-9]*")) {
            for (Path ignored : found) {
                nodes++;
            }
        }
        return new VisibleGpus(PciGpu.list(Sysfs.SYSTEM), visible, nodes, narrowing);
    }

    /** What is to be said. @param check under whose name */
    List<Finding> judge(String check) {
        List<Finding> findings = new ArrayList<>();
        if (visible >= onBus.size()) {
            return findings;
        }
        TreeSet<String> without = new TreeSet<>();
        onBus.stream()
                .filter(g -> g.driver() == null || !g.driver().equals("nvidia"))
                .forEach(g -> without.add(g.address() + (g.driver() == null ? "" : " (" + g.driver() + ")")));
        String why;
        String advice;
        if (!narrowing.isEmpty()) {
            why = "the environment says " + narrowing.toString().replaceAll("^\\{|}$", "");
            advice = "take the variable away, unless other processes have the rest";
        } else if (!without.isEmpty()) {
            why = "the NVIDIA driver does not have " + String.join(", ", without);
            advice = "load the driver (nvidia-smi, dmesg), or take the GPU from vfio";
        } else if (nodes < onBus.size()) {
            why = "there are " + nodes + " device files /dev/nvidiaN";
            advice = "give the container all GPUs (docker: --gpus all; Kubernetes: nvidia.com/gpu: " + onBus.size()
                    + ")";
        } else {
            why = "device files and driver are there for all: a GPU has failed, or is in another MIG mode";
            advice = "look at nvidia-smi and dmesg (Xid); restart the machine or give it back";
        }
        findings.add(Finding.warning(
                check, "PCI", onBus.size() + " GPUs are on the PCI bus, CUDA shows " + visible + ": " + why, advice));
        return findings;
    }
}
