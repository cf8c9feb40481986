package org.sluice.cli.watch;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The command line, and other programs, in processes of their own. */
public final class Processes {
    private Processes() {}

    /** A command line that runs Sluice as this build has it. */
    static List<String> sluice(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "--enable-native-access=org.sluice.core,org.sluice.linux,org.sluice.tcp,org.sluice.cuda,org.sluice.ncclnet",
                "-p",
                System.getProperty("jdk.module.path"),
                "-m",
                "org.sluice.cli/org.sluice.cli.Main"));
        command.addAll(List.of(arguments));
        return command;
    }

    /** A program's end. */
    public record Ended(int status, String out, String err) {}

    /** Runs to its end, at most two minutes. */
    public static Ended run(List<String> command, String input) throws IOException, InterruptedException {
        Path in = Files.createTempFile("sluice-test", ".in");
        Path out = Files.createTempFile("sluice-test", ".out");
        Path err = Files.createTempFile("sluice-test", ".err");
        try {
            Files.writeString(in, input);
            Process p = new ProcessBuilder(command)
                    .redirectInput(in.toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            if (!p.waitFor(2, TimeUnit.MINUTES)) {
                p.destroyForcibly();
                throw new IOException(String.join(" ", command) + " did not end: " + Files.readString(err));
            }
            return new Ended(
                    p.exitValue(),
                    Files.readString(out, StandardCharsets.UTF_8),
                    Files.readString(err, StandardCharsets.UTF_8));
        } finally {
            Files.delete(in);
            Files.delete(out);
            Files.delete(err);
        }
    }

    static int freePort() throws IOException {
        try (ServerSocket s = new ServerSocket(0)) {
            return s.getLocalPort();
        }
    }

    /** Where a program is, null if it is not installed. */
    public static Path onPath(String... names) {
        for (String folder : System.getenv().getOrDefault("PATH", "").split(":", -1)) {
            for (String name : names) {
                if (Files.isExecutable(Path.of(folder, name))) {
                    return Path.of(folder, name);
                }
            }
        }
        return null;
    }
}
