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
 * A side is killed while the other waits for it in the making of links. Between two hosts whose control connection works and whose
 * rails lose every packet, the search for rails lasts three seconds.
 */
class PeerDeathIT {
    /** In a quiet hour it takes 4 s at the most; a crowded machine may be slower. */
    private static final int LIMIT_SECONDS = 30;

    private Namespaces hosts;
    private JarProcess server;
    private JarProcess client;

    @BeforeEach
    void theyLookForRails() throws Exception {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
        hosts = Namespaces.up("death", 2, "1gbit");
        hosts.drop(1);
        hosts.drop(2);
        server = start(Host.A, "server");
        server.awaitLine("Bootstrap handshake");
        client = start(Host.B, "client", Host.A.address(0));
        client.awaitUnanswered();
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

    private static void reports(JarProcess survivor, String... parts) throws Exception {
        int status = survivor.await(LIMIT_SECONDS);
        String err = survivor.err();
        assertThat(status).as(err).isEqualTo(ExitCode.LINK);
        assertThat(err.lines().filter(l -> l.startsWith("sluice: ")))
                .hasSize(1)
                .allSatisfy(l -> assertThat(l).contains(parts));
    }

    @Test
    void theClientIsKilledAndTheServerReports() throws Exception {
        client.kill();
        reports(server, "GPU ", "client " + Host.B.address(0), "left while it looked for rails");
    }

    @Test
    void theServerIsKilledAndTheClientReports() throws Exception {
        server.kill();
        reports(client, "GPU ", "peer " + Host.A.address(0), "eth1", "eth2");
    }
}
