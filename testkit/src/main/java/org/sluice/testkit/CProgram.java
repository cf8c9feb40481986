package org.sluice.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Builds the testkit's C sources with gcc, which the tests need on the machine and users do not. */
public final class CProgram {
    private CProgram() {}

    /** Whether there is a gcc to build with. */
    public static boolean canBuild() {
        return Files.isExecutable(Path.of("/usr/bin/gcc")) || Files.isExecutable(Path.of("/usr/local/bin/gcc"));
    }

    /**
     * Builds a shared library from a C file among this module's resources.
     *
     * @param source file name in {@code org/sluice/testkit/c/}
     * @param into an existing folder
     * @param flags further arguments for gcc, at the end ({@code -lpthread}, {@code -DX=1})
     * @return the library
     */
    public static Path sharedLibrary(String source, Path into, String... flags) throws IOException {
        Path library = into.resolve("lib" + source.replace(".c", ".so"));
        List<String> command = new ArrayList<>(List.of("gcc", "-O2", "-g", "-Wall", "-Wextra", "-fPIC", "-shared"));
        build(source, into, library, command, flags);
        return library;
    }

    /** Builds a program from a C file among this module's resources. @param into an existing folder */
    public static Path program(String source, Path into, String... flags) throws IOException {
        Path program = into.resolve(source.replace(".c", ""));
        build(source, into, program, new ArrayList<>(List.of("gcc", "-O2", "-g", "-Wall", "-Wextra")), flags);
        return program;
    }

    private static void build(String source, Path into, Path output, List<String> command, String... flags)
            throws IOException {
        Path file = into.resolve(source);
        try (InputStream in = CProgram.class.getResourceAsStream("/org/sluice/testkit/c/" + source)) {
            if (in == null) {
                throw new IOException("the testkit has no C source " + source);
            }
            Files.write(file, in.readAllBytes());
        }
        command.addAll(List.of("-o", output.toString(), file.toString()));
        command.addAll(List.of(flags));
        Process gcc = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (gcc.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + " failed:\n" + said);
            }
        } catch (InterruptedException e) {
            gcc.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while gcc ran", e);
        }
    }
}
