package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sluice.cli.common.ExitCode;
import org.sluice.cli.common.FreePorts;
import org.sluice.cli.common.Secret;

/** What goes wrong gives one clear line, a status that is not 0, no stack trace, and no hang. */
class WrongInputIT {
    private static void fails(JarProcess p, int status, String... says) throws Exception {
        int was = p.await();
        String err = p.err();
        assertThat(was).as(err).isEqualTo(status);
        String last = err.lines().reduce("", (a, b) -> b);
        assertThat(last).startsWith("sluice: ").contains(says);
        assertThat(err.lines().filter(l -> l.startsWith("sluice: "))).hasSize(1);
        assertThat(err).doesNotContain("\tat ");
    }

    static Stream<Arguments> commandLines() {
        return Stream.of(
                Arguments.of(ExitCode.USAGE, "server", "servr"),
                Arguments.of(ExitCode.USAGE, "--size", "client h --siez=3"),
                Arguments.of(ExitCode.USAGE, "HOST", "client"),
                Arguments.of(ExitCode.USAGE, "'12x' is not a size", "client h --size=12x"),
                Arguments.of(ExitCode.USAGE, "'3' is not a time", "client h --duration=3"),
                Arguments.of(ExitCode.CONFIGURATION, "channels: 0 is not in 1 to 64", "client h --channels=0"),
                Arguments.of(ExitCode.CONFIGURATION, "channels: 65 is not in 1 to 64", "server --channels=65"),
                Arguments.of(ExitCode.CONFIGURATION, "65536", "server --port=65536"),
                Arguments.of(ExitCode.CONFIGURATION, "no NIC nic7", "client 127.0.0.1 --gpus=1 --nics=nic7"),
                Arguments.of(ExitCode.USAGE, "no command lop", "lop"),
                Arguments.of(ExitCode.CONFIGURATION, "no folder /nowhere", "client h --report=/nowhere/r.html"),
                Arguments.of(ExitCode.CONFIGURATION, "/nowhere is not there", "server --secret-file=/nowhere"),
                Arguments.of(ExitCode.CONFIGURATION, "no transport ib", "server --gpus=1 --transport=ib"),
                Arguments.of(ExitCode.CONFIGURATION, "host memory", "server --size=900TiB"));
    }

    @ParameterizedTest
    @MethodSource("commandLines")
    void onTheCommandLine(int status, String says, String arguments) throws Exception {
        try (JarProcess p = JarProcess.start(arguments.split(" ", -1))) {
            fails(p, status, says);
        }
    }

    @Test
    void inTheEnvironment() throws Exception {
        try (JarProcess p = JarProcess.start(Map.of("UCCL_TCPX_NUM_CHANNELS", "many"), "client", "h")) {
            fails(p, ExitCode.USAGE, "'many'", "UCCL_TCPX_NUM_CHANNELS");
        }
    }

    @Test
    void portInUse() throws Exception {
        try (ServerSocket taken = new ServerSocket(0);
                JarProcess p = JarProcess.start("server", "--gpus=1", "--port=" + taken.getLocalPort())) {
            fails(p, ExitCode.CONFIGURATION, "port " + taken.getLocalPort(), "--port");
        }
    }

    @Test
    void serverAbsent() throws Exception {
        int port = FreePorts.inARow(1);
        try (JarProcess p = JarProcess.start("client", "127.0.0.1", "--gpus=1", "--deadline=300ms", "--port=" + port)) {
            fails(p, ExitCode.LINK, "GPU 0", "127.0.0.1:" + port, "300 ms");
        }
    }

    private static JarProcess server(int port, Map<String, String> environment, String... more) throws IOException {
        String[] all = Stream.concat(
                        Stream.of("server", "--gpus=2", "--nics=lo1,lo2", "--wait=20s", "--port=" + port),
                        Stream.of(more))
                .toArray(String[]::new);
        return JarProcess.start(environment, all);
    }

    private static JarProcess client(int port, Map<String, String> environment, String... more) throws IOException {
        String[] all = Stream.concat(
                        Stream.of("client", "127.0.0.1", "--gpus=2", "--nics=lo1,lo2", "--port=" + port),
                        Stream.of(more))
                .toArray(String[]::new);
        return JarProcess.start(environment, all);
    }

    @Test
    void wrongSecret() throws Exception {
        int port = FreePorts.inARow(2);
        try (JarProcess server = server(port, Map.of(Secret.VARIABLE, "correct horse"));
                JarProcess client = client(port, Map.of(Secret.VARIABLE, "battery staple"))) {
            fails(client, ExitCode.LINK, "secret");
            server.stop();
            assertThat(server.await()).isNotZero();
        }
    }

    @Test
    void lengthsDiffer() throws Exception {
        int port = FreePorts.inARow(2);
        try (JarProcess server = server(port, Map.of(), "--size=2MiB");
                JarProcess client = client(port, Map.of(), "--size=1MiB")) {
            fails(server, ExitCode.MISMATCH, "1048576", "2097152");
            fails(client, ExitCode.MISMATCH, "1048576", "2097152"); // the same fault, the same status
        }
    }

    @Test
    void otherProtocolVersion() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                JarProcess client =
                        JarProcess.start("client", "127.0.0.1", "--gpus=1", "--port=" + other.getLocalPort())) {
            try (Socket peer = other.accept()) {
                byte[] hello = peer.getInputStream().readNBytes(12);
                hello[4]++; // its own hello comes back, of the version after its own
                peer.getOutputStream().write(hello);
                fails(client, ExitCode.LINK, "version");
            }
        }
    }

    @Test
    void peerDiesInTheBootstrap() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                JarProcess client =
                        JarProcess.start("client", "127.0.0.1", "--gpus=1", "--port=" + other.getLocalPort())) {
            other.accept().close();
            fails(client, ExitCode.LINK, "GPU 0", "127.0.0.1");
        }
    }

    @Test
    void silentPeerInTheBootstrap() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                JarProcess client = JarProcess.start(
                        "client", "127.0.0.1", "--gpus=1", "--deadline=500ms", "--port=" + other.getLocalPort())) {
            fails(client, ExitCode.LINK, "127.0.0.1", "500 ms");
        }
    }

    @Test
    void serverKilledInMidTransfer() throws Exception {
        int port = FreePorts.inARow(2);
        try (JarProcess server = server(port, Map.of());
                JarProcess client = client(port, Map.of(), "--duration=10m")) {
            client.awaitLine("ALL GPUS READY");
            server.kill();
            fails(client, ExitCode.LINK, "GPU ", "channel", "peer 127.0.0.1");
        }
    }

    @Test
    void clientKilledInMidTransfer() throws Exception {
        int port = FreePorts.inARow(2);
        try (JarProcess server = server(port, Map.of());
                JarProcess client = client(port, Map.of(), "--duration=10m", "--verify")) {
            server.awaitLine("ALL GPUS READY");
            client.kill();
            fails(server, ExitCode.LINK, "GPU ", "peer 127.0.0.1");
        }
    }

    @Test
    void clientStoppedByTheUserSaysGoodbye() throws Exception {
        int port = FreePorts.inARow(2);
        try (JarProcess server = server(port, Map.of());
                JarProcess client = client(port, Map.of(), "--duration=10m")) {
            client.awaitLine("ALL GPUS READY");
            client.stop();
            assertThat(client.await()).isEqualTo(128 + 15);
            assertThat(client.err()).contains("said goodbye");
            fails(server, ExitCode.LINK, "closed");
        }
    }
}
