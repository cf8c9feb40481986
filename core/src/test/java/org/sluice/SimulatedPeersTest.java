package org.sluice;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.sluice.sockets.MemorySockets;

/** A share of {@link SimulatedPeers}: counts and bounds, no timings. */
final class SimulatedPeersTest {
    private static final int REST_MILLIS = 4000;

    /** Both ends with all channels; measured are 150 to 200 thousand. */
    private static final double MOST_LINK_BYTES = 400_000;

    /** Heartbeats of four in a few seconds, 12 bytes and a record's head each; far more would be one for each link. */
    private static final double MOST_CONTROL_BYTES = 200;

    @Test
    @Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void whatALinkCostsDoesNotGrowWithPeers() throws Exception {
        List<Map<String, Double>> costs = run(List.of(10, 20, 40));
        assertThat(costs).hasSize(2);
        for (Map<String, Double> c : costs) {
            assertThat(c.get("links")).isEqualTo(c.get("peers") * 8);
            assertThat(c.get("wrong")).isZero();
            assertThat(c.get("lost")).isZero();
            assertThat(c.get("link_heap")).isBetween(1.0, MOST_LINK_BYTES);
            assertThat(c.get("link_buffers")).isBetween(1.0, MOST_LINK_BYTES);
            assertThat(c.get("control_in")).isBetween(1.0, MOST_CONTROL_BYTES);
            assertThat(c.get("control_out")).isBetween(1.0, MOST_CONTROL_BYTES);
        }
        assertThat(costs.get(1).get("link_heap"))
                .as("heap a link of 40 peers, bytes, beside 20's")
                .isLessThan(1.25 * costs.get(0).get("link_heap"));
    }

    /** In a JVM of its own: which sockets a process has is chosen when it starts. */
    private static List<Map<String, Double>> run(List<Integer> peers) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx512m",
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                "-Djava.nio.channels.spi.SelectorProvider=" + MemorySockets.class.getName(),
                "-cp",
                System.getProperty("java.class.path"),
                SimulatedPeers.class.getName(),
                "" + REST_MILLIS));
        peers.forEach(p -> command.add("" + p));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<Map<String, Double>> costs = new ArrayList<>();
        try (BufferedReader said = process.inputReader()) {
            for (String line = said.readLine(); line != null; line = said.readLine()) {
                if (line.startsWith("peers=")) {
                    Map<String, Double> cost = new HashMap<>();
                    for (String word : line.split(" ", -1)) {
                        int at = word.indexOf('=');
                        cost.put(word.substring(0, at), Double.valueOf(word.substring(at + 1)));
                    }
                    costs.add(cost);
                }
            }
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
        } finally {
            process.destroyForcibly();
        }
        return costs;
    }
}
