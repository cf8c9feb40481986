package org.sluice.cli.doctor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether the GPU driver is newer than the plugin was made for. GPUDirect-TCPX imports GPU memory by interfaces between its own kernel
 * modules, the driver and the receive daemon, which come in one image; a driver that was put there later breaks it without a word.
 */
final class DriverCheck implements Check {
    private static final Path DRIVER = Path.of("/proc/driver/nvidia/version");
    private static final Pattern DRIVER_VERSION = Pattern.compile("Kernel Module.*?\\s(\\d+)\\.(\\d+)(?:\\.\\d+)?\\s");

    /** What the plugin logs of itself when it starts, as it stands in its file. */
    private static final Pattern TCPX_VERSION =
            Pattern.compile("NET/GPUDirectTCPX\\w* ver\\. (\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})");

    /** The first plugin for newer drivers, as a number that orders versions. */
    private static final int FOR_NEWER_DRIVERS = 3_001_011;

    /** What A3 High images had until then. */
    private static final int OLDER_DRIVER = 535;

    private static final long MOST_PLUGIN_BYTES = 256L << 20;

    @Override
    public String name() {
        return "driver";
    }

    @Override
    public List<Finding> look(Patient patient) throws IOException {
        Path plugin = patient.plan().plugin();
        if (plugin == null || !Files.isRegularFile(plugin) || Files.size(plugin) > MOST_PLUGIN_BYTES) {
            return List.of();
        }
        return judge(plugin, Files.isReadable(DRIVER) ? Files.readString(DRIVER) : "");
    }

    /** @param driver what the driver's module says of itself; empty where there is none */
    List<Finding> judge(Path plugin, String driver) throws IOException {
        List<Finding> findings = new ArrayList<>();
        // every byte a character of its own: what is looked for is ASCII
        Matcher version = TCPX_VERSION.matcher(Files.readString(plugin, StandardCharsets.ISO_8859_1));
        if (!version.find()) {
            return findings;
        }
        String said = version.group(1) + "." + version.group(2) + "." + version.group(3);
        int number = 1_000_000 * Integer.parseInt(version.group(1))
                + 1000 * Integer.parseInt(version.group(2))
                + Integer.parseInt(version.group(3));
        Optional<Integer> branch = branch(driver);
        if (branch.isPresent() && branch.get() > OLDER_DRIVER && number < FOR_NEWER_DRIVERS) {
            findings.add(Finding.warning(
                    name(),
                    plugin.toString(),
                    "is GPUDirect-TCPX " + said + ", made for drivers up to branch " + OLDER_DRIVER + ", and this is "
                            + branch.get(),
                    "get plugin 3.1.11 or later with its receive daemon, or the driver of the machine's image"));
        } else {
            findings.add(Finding.ok(
                    name(),
                    plugin.toString(),
                    "is GPUDirect-TCPX " + said
                            + branch.map(b -> ", the driver is of branch " + b).orElse(", and no driver is loaded")));
        }
        return findings;
    }

    private static Optional<Integer> branch(String driver) {
        Matcher m = DRIVER_VERSION.matcher(driver);
        return m.find() ? Optional.of(Integer.parseInt(m.group(1))) : Optional.empty();
    }
}
