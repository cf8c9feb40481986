package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sluice.cli.common.ExitCode;
import org.sluice.testkit.Namespaces;
import org.sluice.testkit.Namespaces.Host;

/**
 * A side is killed while channels are being made. Between two hosts whose control connection works and whose rails lose every
 * packet, that phase lasts as long as one likes.
 */
class PeerDeathIT {
    private static final int LIMIT_SECONDS = 5;

    private Namespaces hosts;
    private JarProcess server;
    private JarProcess client;

    @BeforeEach
    void bothAreMakingChannels() throws Exception {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
        hosts = Namespaces.up("death", 2, "1gbit");
        hosts.drop(1);
        hosts.drop(2);
        server = start(Host.A, "server");
        server.awaitLine("Bootstrap handshake");
        client = start(Host.B, "client", Host.A.address(0));
        client.awaitLine("Connecting to server");
        server.awaitLine("Accepting connections");
    }

    private JarProcess start(Host host, String... role) throws IOException {
        String[] all = Stream.concat(
                        Stream.of(role), Stream.of("--gpus=2", "--nics=eth1,eth2", "--deadline=60s", "--steps=stderr"))
                .toArray(String[]::new);
        return JarProcess.start(command -> hosts.command(host, command), Map.of(), all);
    }

    @AfterEach
    void end() throws IOException {
        for (JarProcess p : new JarProcess[] {server, client}) {
            if (p != null) {
                p.close();
            }
        }
        if (hosts != null) {
            hosts.close();
        }
    }

    private static void reports(JarProcess survivor, Host peer) throws Exception {
        int status = survivor.await(LIMIT_SECONDS);
        String err = survivor.err();
        assertThat(status).as(err).isEqualTo(ExitCode.LINK);
        assertThat(err.lines().filter(l -> l.startsWith("sluice: ")))
                .hasSize(1)
                .allSatisfy(l -> assertThat(l)
                        .contains("GPU ", "peer " + peer.address(0), "while channels were being made", "eth1", "eth2"));
    }

    @Test
    void theClientIsKilledAndTheServerReports() throws Exception {
        client.kill();
        reports(server, Host.B);
    }

    @Test
    void theServerIsKilledAndTheClientReports() throws Exception {
        server.kill();
        reports(client, Host.A);
    }
}
