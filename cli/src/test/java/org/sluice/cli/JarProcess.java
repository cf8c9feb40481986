package org.sluice.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/** A real {@code sluice} process, from the jars that {@code ./sluice} runs. */
final class JarProcess implements AutoCloseable {
    private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");
    private static final Path MODULES = Path.of("target", "modules").toAbsolutePath();
    private static final int LIMIT_SECONDS = 180;

    private final Process process;
    private final Path out;
    private final Path err;

    private JarProcess(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    static JarProcess start(Map<String, String> environment, String... arguments) throws IOException {
        return start(UnaryOperator.identity(), environment, arguments);
    }

    /** @param wrap makes of the command line the one that is run: {@code ip netns exec ...} before it */
    static JarProcess start(UnaryOperator<List<String>> wrap, Map<String, String> environment, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                JAVA.toString(),
                "-XX:+UseSerialGC",
                "--enable-native-access=org.sluice.core,org.sluice.linux,org.sluice.tcp,org.sluice.cuda,org.sluice.ncclnet",
                "-p",
                MODULES.toString(),
                "-m",
                "org.sluice.cli/org.sluice.cli.Main"));
        command.addAll(Arrays.asList(arguments));
        Path out = Files.createTempFile("sluice", ".out");
        Path err = Files.createTempFile("sluice", ".err");
        ProcessBuilder builder = new ProcessBuilder(wrap.apply(command))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().putAll(environment);
        return new JarProcess(builder.start(), out, err);
    }

    static JarProcess start(String... arguments) throws IOException {
        return start(Map.of(), arguments);
    }

    /** Waits for the end. @return its exit status */
    int await() throws InterruptedException {
        return await(LIMIT_SECONDS);
    }

    /** As {@link #await()}, with another limit. */
    int await(int seconds) throws InterruptedException {
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("a sluice process did not end in " + seconds + " s");
        }
        return process.exitValue();
    }

    /** As a power cut: no goodbye. */
    void kill() {
        process.destroyForcibly();
    }

    /** As Ctrl-C. */
    void stop() {
        process.destroy();
    }

    /** Waits for a line on stderr or stdout. */
    void awaitLine(String part) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!(err() + out()).contains(part)) {
            if (System.nanoTime() > end || !process.isAlive()) {
                throw new AssertionError("'" + part + "' was not printed but: " + err() + out());
            }
            process.waitFor(20, TimeUnit.MILLISECONDS);
        }
    }

    /** Waits until a connection of its host is in the making: its packets are on their way, and no answer has come. */
    void awaitUnanswered() throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!hasUnanswered()) {
            if (System.nanoTime() > end || !process.isAlive()) {
                throw new AssertionError("it connects to nobody: " + err() + out());
            }
            process.waitFor(5, TimeUnit.MILLISECONDS);
        }
    }

    private boolean hasUnanswered() throws IOException {
        for (String table : List.of("tcp", "tcp6")) {
            // the fourth field is the state, 02 is SYN_SENT (include/net/tcp_states.h)
            for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/net/" + table))) {
                if (line.strip().split("\\s+", -1)[3].equals("02")) {
                    return true;
                }
            }
        }
        return false;
    }

    String out() throws IOException {
        return Files.readString(out, StandardCharsets.UTF_8);
    }

    String err() throws IOException {
        return Files.readString(err, StandardCharsets.UTF_8);
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        Files.deleteIfExists(out);
        Files.deleteIfExists(err);
    }
}
