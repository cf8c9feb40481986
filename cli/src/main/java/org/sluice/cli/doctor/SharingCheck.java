package org.sluice.cli.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;
import org.sluice.spi.Availability;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.PullTransportProvider;
import org.sluice.spi.SharedPart;

/** Whether processes of this host can have each other's memory instead of sockets, and what stands in the way of it. */
final class SharingCheck implements Check {
    private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
    private static final Path PTRACE = Path.of("/proc/sys/kernel/yama/ptrace_scope");
    private static final List<Path> CONTAINER_SIGNS = List.of(Path.of("/.dockerenv"), Path.of("/run/.containerenv"));
    private static final long BYTES = 4096;

    @Override
    public String name() {
        return "ipc";
    }

    @Override
    public List<Finding> look(Patient patient) throws IOException {
        List<Finding> findings = new ArrayList<>();
        boolean demanded = false;
        for (PullTransportProvider p : ServiceLoader.load(PullTransportProvider.class)) {
            demanded |= p.name().equals(patient.plan().transport());
            Availability a = p.availability();
            if (a.usable()) {
                findings.add(Finding.ok(name(), p.name(), a.reason() + "; chosen by --transport auto or " + p.name()));
            } else if (demanded) {
                findings.add(Finding.problem(name(), p.name(), a.reason(), "or choose --transport tcp"));
            } else {
                findings.add(
                        Finding.note(name(), p.name(), a.reason(), "links to processes of this host use the network"));
            }
        }
        findings.add(namespaces(isContainer()));
        findings.add(Finding.ok(
                name(),
                "rights",
                "memory goes by descriptor and handle: no ptrace is needed (yama/ptrace_scope is "
                        + said(PTRACE, "not there") + "), and nothing lies in /dev/shm"));
        findings.add(hugePages(said(HUGE_PAGES, "")));
        if (!patient.plan().backend().equals("host")) {
            for (GpuBackend b : ServiceLoader.load(GpuBackend.class)) {
                if (b.name().equals("cuda") && b.availability().usable() && b.count() > 0) {
                    findings.add(handles(b, demanded));
                }
            }
        }
        return findings;
    }

    private static boolean isContainer() {
        return System.getenv("KUBERNETES_SERVICE_HOST") != null
                || CONTAINER_SIGNS.stream().anyMatch(Files::exists);
    }

    Finding namespaces(boolean container) {
        String here = List.of("pid", "ipc", "mnt").stream()
                .map(SharingCheck::namespace)
                .collect(Collectors.joining(", "));
        return container
                ? Finding.note(
                        name(),
                        "namespaces",
                        "a container (" + here
                                + "): a peer outside meets this process only in a directory that both see, and CUDA takes"
                                + " equal PIDs of two PID namespaces for one process",
                        "give both containers one PID namespace, and one directory as XDG_RUNTIME_DIR")
                : Finding.ok(name(), "namespaces", here + ": peers share them with this process");
    }

    private static String namespace(String kind) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/ns", kind)).toString();
        } catch (IOException e) {
            return kind + " unknown";
        }
    }

    private static String said(Path file, String otherwise) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            return otherwise;
        }
    }

    /** @param setting as the kernel says it, the choice in brackets */
    Finding hugePages(String setting) {
        return setting.contains("[never]") || setting.contains("[deny]")
                ? Finding.note(
                        name(),
                        "huge pages",
                        "host GPUs that share memory have small pages here: " + setting,
                        "echo advise > " + HUGE_PAGES)
                : Finding.ok(name(), "huge pages", setting.isEmpty() ? "the kernel does not tell" : setting);
    }

    /** Found by trying, as links do. */
    private Finding handles(GpuBackend cuda, boolean demanded) {
        try (Gpu gpu = cuda.open(0)) {
            gpu.bindThread();
            MemorySharing sharing = gpu.sharing().orElse(null);
            if (sharing == null) {
                return Finding.note(name(), "GPU 0", "its memory cannot be shared", "links use the network");
            }
            try (GpuMemory block = sharing.allocate(BYTES)) {
                List<SharedPart> parts = sharing.export(block);
                String kind = parts.getFirst().kind().toString();
                sharing.discard(parts);
                return Finding.ok(name(), "GPU 0", "memory of this process can be handed to others: " + kind);
            }
        } catch (GpuException e) {
            return demanded
                    ? Finding.problem(name(), "GPU 0", String.valueOf(e.getMessage()), "or choose --transport tcp")
                    : Finding.note(name(), "GPU 0", String.valueOf(e.getMessage()), "links use the network");
        }
    }
}
