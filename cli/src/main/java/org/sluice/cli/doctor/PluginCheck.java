package org.sluice.cli.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sluice.linux.ElfLibrary;
import org.sluice.linux.LibraryPath;
import org.sluice.linux.Mount;

/** The network plugin, judged by its file alone: loading it would run it. */
final class PluginCheck implements Check {
    private static final Pattern TABLE = Pattern.compile("ncclNetPlugin_v(\\d+)");

    /** The versions that the nccl-net transport speaks. */
    private static final int OLDEST = 5;

    /** {@code e_machine} of this Java's architecture. */
    private static final int MACHINE = System.getProperty("os.arch").equals("aarch64") ? 183 : 62;

    /** Where the receive daemon of GPUDirect-TCPX has its sockets, by the plugin's variable and the field's setting. */
    private static final String DAEMON_VARIABLE = "NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX";

    private static final String DAEMON_FOLDER = "/run/tcpx";

    @Override
    public String name() {
        return "plugin";
    }

    @Override
    public List<Finding> look(Patient patient) throws IOException {
        List<Finding> findings = new ArrayList<>();
        if (!patient.plan().usesPlugin()) {
            return findings;
        }
        Path file = patient.plan().plugin();
        if (file == null) {
            findings.add(Finding.problem(
                    name(), "-", "transport nccl-net without a plugin", "give --plugin /path/libnccl-net-NAME.so"));
            return findings;
        }
        if (!Files.isRegularFile(file)) {
            findings.add(Finding.problem(
                    name(), file.toString(), "there is no such file", "correct --plugin (UCCL_TCPX_PLUGIN_PATH)"));
            return findings;
        }
        Mount mount = Mount.of(file);
        if (mount != null && mount.options().contains("noexec")) {
            findings.add(Finding.problem(
                    name(),
                    file.toString(),
                    "lies on " + mount.point() + ", which is mounted noexec: it cannot be loaded",
                    "copy it, for instance to /usr/local/lib"));
        }
        library(findings, file);
        if (file.getFileName().toString().toLowerCase(Locale.ROOT).contains("tcpx")) {
            daemon(findings, System.getenv().getOrDefault(DAEMON_VARIABLE, DAEMON_FOLDER));
        }
        return findings;
    }

    private void library(List<Finding> findings, Path file) {
        ElfLibrary library;
        try {
            library = ElfLibrary.read(file);
        } catch (IOException e) {
            findings.add(Finding.problem(
                    name(), file.toString(), String.valueOf(e.getMessage()), "give the path of a NCCL net plugin"));
            return;
        }
        if (library.machine() != MACHINE) {
            findings.add(Finding.problem(
                    name(), file.toString(), "is built for another kind of CPU", "get the one for this machine"));
            return;
        }
        TreeSet<Integer> versions = new TreeSet<>();
        for (String symbol : library.exports()) {
            Matcher m = TABLE.matcher(symbol);
            if (m.matches()) {
                versions.add(Integer.parseInt(m.group(1)));
            }
        }
        if (versions.isEmpty()) {
            findings.add(Finding.problem(
                    name(),
                    file.toString(),
                    "exports no ncclNetPlugin_vN symbol",
                    "it is no NCCL net plugin, or one whose symbols were stripped"));
        } else if (versions.last() < OLDEST) {
            findings.add(Finding.problem(
                    name(),
                    file.toString(),
                    "exports plugin API versions " + versions + " only",
                    "get a release with version " + OLDEST + " or newer"));
        } else {
            findings.add(Finding.ok(name(), file.toString(), "exports plugin API versions " + versions));
        }
        for (String needed : library.needs()) {
            if (!LibraryPath.has(needed, file.toAbsolutePath().getParent())) {
                findings.add(Finding.problem(
                        name(),
                        file.toString(),
                        "needs " + needed + ", which is in none of the loader's folders",
                        "install it, or add its folder to LD_LIBRARY_PATH"));
            }
        }
    }

    private void daemon(List<Finding> findings, String folder) throws IOException {
        Path at = Path.of(folder);
        if (!Files.isDirectory(at)) {
            findings.add(Finding.problem(
                    name(),
                    folder,
                    "the folder of the receive daemon's sockets is not there",
                    "start the receive data path manager (RxDM), or set " + DAEMON_VARIABLE));
            return;
        }
        @Nullable String socket;
        try (Stream<Path> files = Files.list(at)) {
            socket = files.map(f -> f.getFileName().toString())
                    .filter(f -> f.startsWith("rx_rule_manager") || f.startsWith("get_gpu_"))
                    .findFirst()
                    .orElse(null);
        }
        findings.add(
                socket == null
                        ? Finding.warning(
                                name(),
                                folder,
                                "has no socket of the receive daemon",
                                "start the receive data path manager (RxDM) before the job")
                        : Finding.ok(name(), folder, "the receive daemon's sockets are there (" + socket + ", ...)"));
    }
}
