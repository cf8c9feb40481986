package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.cli.common.FreePorts;

/** The main job as two real processes over loopback rails. */
class LoopbackIT {
    private static JarProcess ended(String... arguments) throws Exception {
        JarProcess p = JarProcess.start(arguments);
        int status = p.await();
        assertThat(status).as(p.err()).isZero();
        return p;
    }

    @Test
    void allGpusAndChannelsMoveVerifiedBytes() throws Exception {
        try (JarProcess p = ended("loopback", "--size=2MiB", "--iters=2", "--json")) {
            assertThat(p.out())
                    .contains("\"role\": \"loopback\"", "\"gpus\": 8", "\"channelsPerGpu\": 8")
                    .contains("\"bytes\": 33554432", "\"verifiedBytes\": 33554432", "\"mismatchedBytes\": 0");
            assertThat(p.out().split("\"channel\": ", -1)).hasSize(1 + 64);
            assertThat(p.out().split("\"kernelTxBytes\": [1-9]", -1)).hasSize(1 + 4);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, (512 << 10) - 1, 512 << 10, (512 << 10) + 1})
    void anySize(long size) throws Exception {
        try (JarProcess p = ended("loopback", "--gpus=2", "--iters=2", "--json", "--size=" + size)) {
            assertThat(p.out()).contains("\"verifiedBytes\": " + 4 * size + ",", "\"mismatchedBytes\": 0");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"adaptive", "round-robin"})
    void bothWaysForATime(String striping) throws Exception {
        try (JarProcess p = ended(
                "loopback",
                "--gpus=2",
                "--size=1MiB",
                "--duration=300ms",
                "--bidirectional",
                "--no-verify",
                "--striping=" + striping)) {
            assertThat(p.out()).contains("DONE: ").contains("not verified");
        }
    }

    @Test
    void aServerIsFoundByAClientThatStartedFirst() throws Exception {
        String port = "--port=" + FreePorts.inARow(1);
        try (JarProcess client = JarProcess.start(
                        "client", "127.0.0.1", port, "--gpus=1", "--nics=lo1", "--size=1MiB", "--iters=3", "--verify");
                JarProcess server = serverAfter(client, port)) {
            assertThat(client.await()).as(client.err()).isZero();
            assertThat(server.await()).as(server.err()).isZero();
            assertThat(client.out()).contains("OK: 3 MiB");
            assertThat(server.out()).contains("OK: 3 MiB");
            assertThat(server.err())
                    .containsSubsequence(
                            "Role: server",
                            "[INFO] GPU backend ",
                            "[INFO] All GPUs initialized",
                            "Step 1: Listening",
                            "[GPU 0] Listening on 8 channels",
                            "[GPU 0] Sent 8 handles",
                            "[GPU 0] Accepted 8 connections",
                            "[GPU 0] Registered memory on 8 channels",
                            "=== ALL GPUS READY (SERVER) ===",
                            "Total channels: 8");
        }
    }

    private static JarProcess serverAfter(JarProcess client, String port) throws Exception {
        client.awaitLine("Step 1: Bootstrap handshake");
        return JarProcess.start("server", port, "--gpus=1", "--nics=lo1");
    }

    /** Needs 10 GiB of memory and half a minute: {@code -Dsluice.large=true}. */
    @Test
    @EnabledIfSystemProperty(
            named = "sluice.large",
            matches = "true",
            disabledReason = "needs 10 GiB; -Dsluice.large=true")
    void beyond32Bits() throws Exception {
        try (JarProcess p = ended("loopback", "--gpus=1", "--size=5GiB", "--iters=1", "--json")) {
            assertThat(p.out()).contains("\"verifiedBytes\": 5368709120", "\"mismatchedBytes\": 0");
        }
    }
}
