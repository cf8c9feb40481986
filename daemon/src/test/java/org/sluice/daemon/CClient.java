package org.sluice.daemon;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.sluice.testkit.CProgram;

/** The C client and its test programs, built with gcc, warnings being errors. */
final class CClient {
    private static final Path SOURCES =
            Path.of(System.getProperty("sluice.root", "..")).resolve("client-c");
    private static final Path BUILT = Path.of(System.getProperty("sluice.build", "target"));

    private CClient() {}

    /** A test program with the library in it, watched by the address and undefined-behaviour sanitizers. */
    static Path sanitized(String program) throws IOException {
        return program(program, "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all");
    }

    /** As {@link #sanitized}, but as users build it. */
    static Path plain(String program) throws IOException {
        return program(program, "-O2");
    }

    /** {@code libsluice.so}. */
    static Path library() throws IOException {
        Path output = BUILT.resolve("libsluice.so");
        compile(output, List.of("-O2", "-fPIC", "-shared", "-fvisibility=hidden"), List.of());
        return output;
    }

    private static Path program(String program, String... flags) throws IOException {
        Path output = BUILT.resolve(program + flags[0]);
        compile(output, List.of(flags), List.of(SOURCES.resolve("test").resolve(program + ".c")));
        return output;
    }

    private static void compile(Path output, List<String> flags, List<Path> more) throws IOException {
        assumeTrue(CProgram.canBuild(), "the C client is not tested: there is no gcc");
        Files.createDirectories(BUILT);
        List<String> command =
                new ArrayList<>(List.of("gcc", "-std=c11", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"));
        command.addAll(flags);
        command.addAll(List.of("-I" + SOURCES.resolve("include"), "-o", output.toString()));
        try (Stream<Path> sources = Files.list(SOURCES.resolve("src"))) {
            sources.filter(p -> p.toString().endsWith(".c")).sorted().forEach(p -> command.add(p.toString()));
        }
        more.forEach(p -> command.add(p.toString()));
        Result result = run(command, 120);
        if (result.status() != 0) {
            throw new IOException(String.join(" ", command) + " failed:\n" + result.output());
        }
    }

    record Result(int status, String output) {}

    /** Runs a program to its end, with a deadline. */
    static Result run(List<String> command, int seconds) {
        try {
            Path output = Files.createTempFile(BUILT, "program", ".out");
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            try {
                if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
                    return new Result(-1, "not done within " + seconds + " s: " + Files.readString(output));
                }
                return new Result(process.exitValue(), Files.readString(output, StandardCharsets.ISO_8859_1));
            } finally {
                process.destroyForcibly();
                Files.delete(output);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
