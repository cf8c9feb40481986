package org.sluice.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The kernels' source does what it says (on a CPU, under sanitizers), and the PTX in the tree is what it compiles to. */
class KernelSourceTest {
    private static final Path SOURCES = Path.of("src/main/cuda").toAbsolutePath();

    @TempDir
    Path folder;

    @Test
    void kernelsGiveTheRightBytesOnACpu() throws Exception {
        assumeTrue(onPath("g++"), "no g++ to compile the kernels for a CPU with");
        Path program = folder.resolve("kernels");
        run(List.of(
                "g++",
                "-std=c++17",
                "-O1",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Wno-unknown-pragmas",
                "-fsanitize=address,undefined",
                "-fno-sanitize-recover=all",
                "-I" + SOURCES,
                "-o",
                program.toString(),
                Path.of("src/test/resources/org/sluice/cuda/kernels_on_cpu.cpp")
                        .toAbsolutePath()
                        .toString()));
        assertThat(run(List.of(program.toString()))).isEqualTo("0 failures\n");
    }

    @Test
    void ptxInTheTreeIsWhatTheSourceGives() throws Exception {
        assumeTrue(onPath("nvcc"), "no nvcc to compile the kernels with");
        Path made = folder.resolve("kernels.ptx");
        run(List.of(SOURCES.resolve("make-ptx.sh").toString(), made.toString()));
        assertThat(instructions(new String(CudaKernels.ptx(), StandardCharsets.US_ASCII)))
                .as("run cuda/src/main/cuda/make-ptx.sh and commit kernels.ptx")
                .isEqualTo(instructions(Files.readString(made)));
    }

    @Test
    void ptxRunsOnOldDriversAndGpus() {
        assertThat(new String(CudaKernels.ptx(), StandardCharsets.US_ASCII).lines())
                .contains(".version 7.0", ".target sm_70");
    }

    /** Without comments, where the compiler writes its version. */
    private static List<String> instructions(String ptx) {
        return ptx.lines()
                .map(l -> l.replaceFirst("//.*", "").strip())
                .filter(l -> !l.isEmpty())
                .toList();
    }

    private static boolean onPath(String program) {
        return Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(p -> Files.isExecutable(Path.of(p).resolve(program)));
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(p.waitFor()).as(String.join(" ", command) + "\n" + said).isZero();
        return said;
    }
}
