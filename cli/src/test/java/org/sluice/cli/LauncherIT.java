package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.cli.common.ExitCode;

/** {@code ./sluice} in surroundings that are not those of a developer: services, containers, pipes, odd names. */
class LauncherIT {
    private static final Path REPOSITORY = Path.of("..").toAbsolutePath().normalize();

    private static final List<String> SMALL =
            List.of("loopback", "--gpus=1", "--channels=1", "--size=64KiB", "--iters=1", "--backend=host", "--json");

    @TempDir
    static Path folder;

    private static Path usual;

    private Path clone;

    private record Ended(int status, String out, String err) {}

    /** A clone that is built, of links to this one's, so that nothing here is changed. */
    @BeforeAll
    static void build() throws IOException {
        usual = clone(folder.resolve("clone"));
    }

    @BeforeEach
    void useIt() {
        clone = usual;
    }

    private static Path clone(Path to) throws IOException {
        Files.createDirectories(to.resolve("cli/target"));
        Files.createDirectories(to.resolve("cli/src/main"));
        Files.copy(REPOSITORY.resolve("sluice"), to.resolve("sluice"));
        Files.createFile(to.resolve("pom.xml"));
        Files.createFile(to.resolve("cli/pom.xml"));
        Files.createSymbolicLink(
                to.resolve("cli/target/modules"), Path.of("target", "modules").toAbsolutePath());
        Path stamp = Files.createFile(to.resolve("cli/target/built"));
        Files.setLastModifiedTime(stamp, FileTime.fromMillis(System.currentTimeMillis() + 60_000));
        return to;
    }

    private Ended shell(String script, Map<String, String> environment, String... without)
            throws IOException, InterruptedException {
        Path err = folder.resolve("err");
        Path out = folder.resolve("out");
        ProcessBuilder b = new ProcessBuilder("bash", "-c", script)
                .directory(clone.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        b.environment().put("JAVA_HOME", System.getProperty("java.home"));
        b.environment().putAll(environment);
        for (String w : without) {
            b.environment().remove(w);
        }
        Process p = b.start();
        if (!p.waitFor(120, TimeUnit.SECONDS)) {
            p.descendants().forEach(ProcessHandle::destroyForcibly);
            p.destroyForcibly();
            throw new AssertionError(script + " did not end: " + Files.readString(err));
        }
        return new Ended(p.exitValue(), Files.readString(out), Files.readString(err));
    }

    private static void isOneDocument(Ended e) {
        assertThat(e.status()).as(e.err()).isZero();
        assertThat(e.out()).startsWith("{\n").endsWith("\n}\n").contains("\"mismatchedBytes\": 0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "JAVA_TOOL_OPTIONS=-Xmx40g",
                "JAVA_TOOL_OPTIONS=-XX:+UseParallelGC -Xlog:gc*",
                "JDK_JAVA_OPTIONS=-XX:+UseG1GC -Xlog:safepoint",
                "_JAVA_OPTIONS=-Xmx64m -Xlog:gc",
                "JAVA_TOOL_OPTIONS=-XX:+PrintFlagsFinal"
            })
    void theResultIsAloneOnStdoutWhateverTheJvmIsTold(String setting) throws Exception {
        String[] pair = setting.split("=", 2);
        isOneDocument(shell("./sluice " + String.join(" ", SMALL), Map.of(pair[0], pair[1])));
    }

    @Test
    void withoutHomeAsServicesHaveIt() throws Exception {
        isOneDocument(shell("./sluice " + String.join(" ", SMALL), Map.of(), "HOME"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a clone", "a:clone", "a'clone & more"})
    void inAFolderWithAnOddName(String name) throws Exception {
        clone = clone(folder.resolve(name));
        isOneDocument(shell("./sluice " + String.join(" ", SMALL), Map.of()));
    }

    @Test
    void aFileNameBeyondAsciiInTheCLocale() throws Exception {
        Ended e = shell(
                "./sluice " + String.join(" ", SMALL) + " --csv=t\u00e4st.csv", Map.of("LC_ALL", "C", "LANG", "C"));
        isOneDocument(e);
        assertThat(shell("ls", Map.of("LC_ALL", "C.UTF-8")).out()).contains("t\u00e4st.csv");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--version",
                "--help",
                "help client",
                "topo",
                "topo --json",
                "doctor --json",
                "affinity --gpus=1 --backend=host",
                "soak --duration=200ms",
                "bench --sizes=4KiB --time=50ms --backend=host",
                "loopback --gpus=1 --channels=1 --size=64KiB --iters=1 --backend=host"
            })
    void aResultThatCannotBeWrittenIsAnError(String command) throws Exception {
        Ended full = shell("./sluice " + command + " >/dev/full", Map.of());
        assertThat(full.status()).as(full.err()).isNotZero();
        assertThat(full.err()).contains("sluice: the result could not be written to stdout: No space left on device");
    }

    @Test
    void soIsAClosedStdout() throws Exception {
        Ended closed = shell("./sluice topo >&-", Map.of());
        assertThat(closed.status()).isEqualTo(ExitCode.UNWRITTEN);
        assertThat(closed.err()).contains("sluice: the result could not be written to stdout");
        assertThat(shell("./sluice topo >&- 2>&-", Map.of()).status()).isEqualTo(ExitCode.UNWRITTEN);
    }

    @Test
    void aCacheThatIsBrokenOrOfOtherModulesIsMadeAnew() throws Exception {
        Path cache = clone.resolve("cli/target/sluice.aot");
        assertThat(shell("./sluice --version", Map.of()).err()).isEmpty();
        long good = Files.size(cache);
        Files.writeString(cache, "no cache");
        Ended after = shell("./sluice --version", Map.of());
        assertThat(after.status()).isZero();
        assertThat(after.err()).isEmpty();
        assertThat(Files.size(cache)).isBetween(good / 2, good * 2);
        byte[] half = Arrays.copyOf(Files.readAllBytes(cache), (int) good / 2);
        Files.write(cache, half);
        assertThat(shell("./sluice --version", Map.of()).err()).isEmpty();
        assertThat(Files.size(cache)).isGreaterThan(half.length);
    }

    /** A failed run has a document too, with the error as fields. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "4 client 127.0.0.1 --port=1 --gpus=1 --deadline=300ms --steps=none",
                "3 server --gpus=1 --chunk=0 --steps=none",
                "3 server --gpus=1 --window=0 --steps=none",
                "3 loopback --gpus=1 --size=900TiB",
                "3 bench --sizes=4TiB --backend=host",
                "2 client",
                "2 soak --duration=0s --json"
            })
    void aRunThatFailsHasADocument(String line) throws Exception {
        String[] words = line.split(" ", 2);
        Ended e = shell("./sluice " + words[1] + (words[1].contains("soak") ? "" : " --json"), Map.of());
        assertThat(e.status()).as(e.err()).isEqualTo(Integer.parseInt(words[0]));
        if (!words[1].contains("soak")) {
            assertThat(e.out()).startsWith("{\n").contains("\"error\": {", "\"status\": " + words[0], "\"message\": ");
        }
        assertThat(e.err().lines().filter(l -> l.startsWith("sluice: "))).hasSize(1);
    }

    /** A control group of this test's own. */
    private static final class Group implements AutoCloseable {
        private final Path folder;

        private Group(Path folder) {
            this.folder = folder;
        }

        static Group of(String controller, String setting, String value) throws IOException {
            Path root = Path.of("/sys/fs/cgroup", controller);
            Path folder =
                    root.resolve("sluice-launcher-" + ProcessHandle.current().pid());
            try {
                Files.createDirectory(folder);
                Files.writeString(folder.resolve(setting), value);
            } catch (IOException e) {
                assumeTrue(false, "no control group can be made here: " + e);
            }
            return new Group(folder);
        }

        String enter() {
            return "echo $$ > " + folder.resolve("cgroup.procs") + " && ";
        }

        @Override
        public void close() throws IOException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            List<String> left = Files.readAllLines(folder.resolve("cgroup.procs"));
            while (!left.isEmpty() && System.nanoTime() < end) {
                for (String pid : left) {
                    ProcessHandle.of(Long.parseLong(pid))
                            .map(ProcessHandle::onExit)
                            .ifPresent(gone -> gone.completeOnTimeout(null, 1, TimeUnit.SECONDS)
                                    .join());
                }
                left = Files.readAllLines(folder.resolve("cgroup.procs"));
            }
            assertThat(left).as("processes that outlive the run").isEmpty();
            Files.deleteIfExists(folder);
        }
    }

    @Test
    void moreMemoryThanTheControlGroupHasIsRefusedBeforeItIsTaken() throws Exception {
        try (Group g = Group.of("memory", "memory.limit_in_bytes", "400M")) {
            Ended e = shell(g.enter() + "./sluice loopback --gpus=2 --size=1GiB --iters=1 --backend=host", Map.of());
            assertThat(e.status()).as(e.err()).isEqualTo(ExitCode.CONFIGURATION);
            assertThat(e.err()).contains("of host memory", "is what the control group", "400 MiB");
            assertThat(e.err().lines().filter(l -> l.startsWith("sluice: "))).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {25, 35, 45, 60, 75, 90})
    void tooFewThreadsAreOneLineAndAnEnd(int most) throws Exception {
        try (Group g = Group.of("pids", "pids.max", Integer.toString(most))) {
            Ended e = shell(g.enter() + "./sluice loopback --gpus=8 --size=64KiB --iters=1 --backend=host", Map.of());
            if (most < 60) { // more may be enough: I/O threads follow the CPUs
                assertThat(e.status()).as(e.err()).isNotZero();
            }
            if (e.status() == ExitCode.CONFIGURATION) { // else the JVM itself could not start
                assertThat(e.err())
                        .containsAnyOf("no more threads can be made", "cannot be made")
                        .containsAnyOf("pids limit", "pids.max");
            }
            assertThat(e.err()).doesNotContain("\tat ");
        }
    }
}
