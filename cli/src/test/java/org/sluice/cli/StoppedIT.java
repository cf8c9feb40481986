package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sluice.cli.common.FreePorts;
import org.sluice.testkit.CProgram;

/** SIGTERM ends the process within 10 s, whatever it is at and whatever hangs. */
class StoppedIT {
    private static final int SIGTERM = 128 + 15;
    private static final int LIMIT_SECONDS = 10;

    @TempDir
    static Path folder;

    private static Path plugin;

    @BeforeAll
    static void build() throws IOException {
        assumeTrue(CProgram.canBuild(), "no gcc to build the fake plugin with");
        plugin = CProgram.sharedLibrary("fake_nccl_net.c", folder, "-lpthread", "-ldl");
    }

    private static void ends(JarProcess p) throws Exception {
        p.stop();
        assertThat(p.await(LIMIT_SECONDS)).as(p.err()).isEqualTo(SIGTERM);
    }

    private static List<String> side(String role, String transport, int port) {
        List<String> all = new ArrayList<>(List.of(role));
        if (role.equals("client")) {
            all.add("127.0.0.1");
        }
        all.addAll(List.of(
                "--gpus=1", "--channels=2", "--backend=host", "--size=1MiB", "--duration=10m", "--port=" + port));
        all.add(transport.equals("tcp") ? "--nics=lo1,lo2" : "--plugin=" + plugin);
        return all;
    }

    @ParameterizedTest
    @CsvSource({"server,tcp", "client,tcp", "server,nccl-net", "client,nccl-net"})
    void whileItWaitsForTheOther(String role, String transport) throws Exception {
        List<String> line = side(role, transport, FreePorts.inARow(1));
        try (JarProcess p = JarProcess.start(Map.of(), line.toArray(String[]::new))) {
            p.awaitLine("Step 1");
            ends(p);
        }
    }

    @ParameterizedTest
    @CsvSource({"server,tcp", "client,tcp", "server,nccl-net", "client,nccl-net"})
    void inMidRunAndTheOtherEndsToo(String role, String transport) throws Exception {
        int port = FreePorts.inARow(1);
        try (JarProcess server = JarProcess.start(
                        Map.of(), side("server", transport, port).toArray(String[]::new));
                JarProcess client = JarProcess.start(
                        Map.of(), side("client", transport, port).toArray(String[]::new))) {
            client.awaitLine("ALL GPUS READY");
            server.awaitLine("ALL GPUS READY");
            boolean stopServer = role.equals("server");
            ends(stopServer ? server : client);
            assertThat((stopServer ? client : server).await()).isEqualTo(4);
        }
    }

    /** A call of the plugin that does not come back for two minutes, in each step of a link's life. */
    @ParameterizedTest
    @CsvSource({"listen", "connect", "accept", "regmr", "isend", "test", "close"})
    void whileAPluginsCallHangs(String call) throws Exception {
        int port = FreePorts.inARow(1);
        Map<String, String> hangs = Map.of("FAKE_NET_FAULTS", call + ":hang=120000");
        try (JarProcess server =
                        JarProcess.start(hangs, side("server", "nccl-net", port).toArray(String[]::new));
                JarProcess client =
                        JarProcess.start(hangs, side("client", "nccl-net", port).toArray(String[]::new))) {
            server.awaitLine("Step 1");
            client.awaitLine("Step 1");
            ends(client);
            ends(server);
        }
    }
}
