package org.sluice.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sluice.client.SluiceClient;

/** The clients in Python and Java. */
final class OtherLanguagesTest {
    private static final Path ROOT = Path.of(System.getProperty("sluice.root", ".."));

    @TempDir
    private Path directory;

    private void run(List<String> command) throws Exception {
        try (DaemonPair pair = DaemonPair.in(directory)) {
            List<String> all = new ArrayList<>(command);
            all.add(pair.a().socket().toString());
            all.add(pair.b().socket().toString());
            all.add(pair.addressOfB());
            CClient.Result result = CClient.run(all, 120);
            assertThat(result.output()).endsWith("ok\n");
            assertThat(result.status()).isZero();
            Gone.clients(pair.a());
            Gone.clients(pair.b());
        }
    }

    @Test
    @DisplayName("Python clients move, list, notify, wait in asyncio and share numpy arrays")
    void python() throws Exception {
        boolean there =
                Stream.of(System.getenv("PATH").split(":")).anyMatch(d -> Files.isExecutable(Path.of(d, "python3")));
        assumeTrue(there, "the Python client is not tested: there is no python3");
        Path package_ = ROOT.resolve("client-python");
        run(List.of(
                "/usr/bin/env",
                "SLUICE_LIBRARY=" + CClient.library().toAbsolutePath(),
                "PYTHONPATH=" + package_.toAbsolutePath(),
                "PYTHONDONTWRITEBYTECODE=1",
                "python3",
                package_.resolve("tests").resolve("roundtrip.py").toString()));
    }

    /** A JDK 17, or else the one that runs this test. */
    private static Path java() throws IOException {
        Path usual = Path.of("/usr/lib/jvm");
        if (Files.isDirectory(usual)) {
            try (Stream<Path> all = Files.list(usual)) {
                for (Path jdk : all.sorted().toList()) {
                    Path release = jdk.resolve("release");
                    if (Files.exists(release)
                            && Files.readString(release).contains("JAVA_VERSION=\"17")
                            && Files.isExecutable(jdk.resolve("bin/javac"))) {
                        return jdk.resolve("bin/java");
                    }
                }
            }
        }
        return Path.of(System.getProperty("java.home"), "bin", "java");
    }

    private static Path client() throws URISyntaxException {
        return Path.of(SluiceClient.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
    }

    @Test
    @DisplayName("Java 17 clients move, notify and are refused, without native code")
    void java17() throws Exception {
        run(List.of(
                java().toString(),
                "-cp",
                client().toString(),
                ROOT.resolve("client-java/src/test/programs/RoundTrip.java").toString()));
    }
}
