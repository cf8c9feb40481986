package org.sluice.ipc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.testkit.Lab;
import org.sluice.testkit.Lab.Place;
import org.sluice.testkit.Namespaces;

/** One node with two links to a process of its host and two to a process of another network namespace, which only has sockets. */
@Timeout(120)
final class MixedJobTest {
    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void end() {
        started.forEach(Process::destroyForcibly);
    }

    private Process start(Lab lab, Place place, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx128m",
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp",
                Stream.of(System.getProperty("java.class.path"), System.getProperty("jdk.module.path", ""))
                        .filter(p -> !p.isEmpty())
                        .reduce(
                                Path.of("target/test-classes").toAbsolutePath().toString(),
                                (a, b) -> a + File.pathSeparator + b),
                MixedSide.class.getName()));
        command.addAll(List.of(arguments));
        Process p = new ProcessBuilder(lab.command(place, command))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        started.add(p);
        return p;
    }

    private static String port(Process server) throws IOException {
        String said = server.inputReader().readLine();
        assertThat(said).startsWith("port ");
        return said.substring("port ".length());
    }

    @Test
    void eachLinkTakesItsPathAndTheCountersTellThemApart() throws Exception {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
        try (Lab lab = Lab.up("mixed")) {
            lab.cable("eth1", "eth1")
                    .address(Place.A, "eth1", "10.77.0.1/24")
                    .address(Place.B, "eth1", "10.77.0.2/24")
                    .make();
            Process near = start(lab, Place.A, "serve", "auto", "10.77.0.1");
            Process far = start(lab, Place.B, "serve", "tcp", "10.77.0.2");
            String here = "10.77.0.1:" + port(near);
            String there = "10.77.0.2:" + port(far);
            Process mover = start(lab, Place.A, "move", here, there);
            List<String> said;
            try (BufferedReader in = mover.inputReader()) {
                said = in.lines().toList();
            }
            assertThat(mover.waitFor(30, TimeUnit.SECONDS)).isTrue();
            long both = 2L * MixedSide.BYTES;
            String pulled = "link " + here + " ipc verified ipc=" + both + " eth1=0";
            String sent = "link " + there + " tcp verified ipc=0 eth1=" + both;
            assertThat(said).containsExactly(pulled, pulled, sent, sent);
        }
    }
}
