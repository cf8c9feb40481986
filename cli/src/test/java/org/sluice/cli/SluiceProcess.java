package org.sluice.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The command line as a process of its own, from the modules that this test runs on. */
public final class SluiceProcess {
    private static final int DEADLINE_SECONDS = 60;

    /** What it printed and how it ended. */
    public record Result(int status, String out, String err) {}

    private SluiceProcess() {}

    public static List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=org.sluice.core,org.sluice.linux,org.sluice.tcp,org.sluice.cuda,org.sluice.ncclnet",
                "-p",
                // a test that runs on the class path takes the jars
                System.getProperty(
                        "jdk.module.path",
                        Path.of("target", "modules").toAbsolutePath().toString()),
                "-m",
                "org.sluice.cli/org.sluice.cli.Main"));
        command.addAll(List.of(arguments));
        return command;
    }

    public static Result run(List<String> command, Map<String, String> environment)
            throws IOException, InterruptedException {
        Path out = Files.createTempFile("sluice", ".out");
        Path err = Files.createTempFile("sluice", ".err");
        try {
            ProcessBuilder builder = new ProcessBuilder(command);
            builder.environment().putAll(environment);
            Process process = builder.redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(command + " did not end in " + DEADLINE_SECONDS + " s: "
                        + Files.readString(out) + Files.readString(err));
            }
            return new Result(
                    process.exitValue(),
                    Files.readString(out, StandardCharsets.UTF_8),
                    Files.readString(err, StandardCharsets.UTF_8));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }
}
