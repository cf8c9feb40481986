package org.sluice.cli.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import org.sluice.spi.Availability;
import org.sluice.spi.GpuBackend;

/** GPUs, their driver, and whether their memory can be exported to NICs. */
final class GpuCheck implements Check {
    private static final Path NVIDIA_VERSION = Path.of("/proc/driver/nvidia/version");

    private static final String CUDA = "cuda";

    @Override
    public String name() {
        return "gpu";
    }

    @Override
    public List<Finding> look(Patient patient) throws IOException {
        List<Finding> findings = new ArrayList<>();
        String wanted = patient.plan().backend();
        boolean there = wanted.equals("auto");
        for (GpuBackend b : ServiceLoader.load(GpuBackend.class)) {
            Availability a = b.availability();
            if (b.name().equals(CUDA) && !wanted.equals("host")) {
                findings.addAll(VisibleGpus.here(a.usable() ? b.count() : 0).judge(name()));
            }
            there |= b.name().equals(wanted);
            if (!a.usable()) {
                findings.add(
                        b.name().equals(wanted)
                                ? Finding.problem(name(), b.name(), a.reason(), "or choose another --backend")
                                : Finding.note(name(), b.name(), a.reason(), "host GPUs are used instead"));
            } else if (b.count() < patient.plan().gpus()) {
                findings.add(Finding.warning(
                        name(),
                        b.name(),
                        a.reason() + ": " + b.count() + " GPUs, the job wants "
                                + patient.plan().gpus(),
                        "give a lower --gpus"));
            } else {
                findings.add(Finding.ok(name(), b.name(), a.reason()));
            }
        }
        if (!there) {
            findings.add(Finding.problem(name(), wanted, "there is no such backend", "use cuda, host or auto"));
        }
        if (Files.isReadable(NVIDIA_VERSION)) {
            boolean open = Files.readString(NVIDIA_VERSION).contains("Open Kernel Module");
            findings.add(
                    open
                            ? Finding.ok(name(), "dmabuf", "the open NVIDIA kernel module exports GPU memory")
                            : Finding.note(
                                    name(),
                                    "dmabuf",
                                    "the closed NVIDIA kernel module does not export GPU memory as dmabuf",
                                    "install the open kernel module, if a transport wants dmabuf"));
        }
        return findings;
    }
}
