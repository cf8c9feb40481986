package org.sluice.cli.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.sluice.testkit.Namespaces;
import org.sluice.testkit.Namespaces.Host;

/** {@code sluice validate} between two hosts with four NICs of 400 Mbit/s. */
@Timeout(240)
class ValidateTest {
    private static final int NICS = 4;

    @TempDir
    Path folder;

    private Namespaces hosts;
    private Process server;

    @BeforeEach
    void up() throws Exception {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
        hosts = Namespaces.up("see", NICS, "400mbit");
    }

    @AfterEach
    void down() throws Exception {
        if (server != null) {
            server.destroyForcibly().waitFor();
        }
        if (hosts != null) {
            hosts.close();
        }
    }

    private JsonText.Node validate(int status, List<String> serverOptions, List<String> clientOptions)
            throws Exception {
        List<String> serve = new ArrayList<>(List.of("server", "--gpus=2", "--backend=host"));
        serve.addAll(serverOptions);
        server = new ProcessBuilder(hosts.command(Host.B, Processes.sluice(serve.toArray(String[]::new))))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("server.log").toFile())
                .start();
        List<String> ask = new ArrayList<>(List.of(
                "validate",
                Host.B.address(0),
                "--gpus=2",
                "--backend=host",
                "--size=32MiB",
                "--iters=4",
                "--json",
                "--expect=10MB/s",
                "--max-cpu=20"));
        ask.addAll(clientOptions);
        Processes.Ended client = Processes.run(hosts.command(Host.A, Processes.sluice(ask.toArray(String[]::new))), "");
        assertThat(client.status()).as(client.out() + client.err()).isEqualTo(status);
        server.waitFor(30, TimeUnit.SECONDS);
        return JsonText.parse(client.out());
    }

    private static List<String> failures(JsonText.Node validation) {
        return validation.get("verdicts").list().stream()
                .filter(v -> !v.get("pass").isTrue())
                .map(v -> v.get("name").text() + ": " + v.get("detail").text())
                .toList();
    }

    @Test
    void fourNicsThatAreUsedAreValidAndTheKernelAgreesOnEach() throws Exception {
        JsonText.Node v = validate(0, List.of("--nics=" + hosts.nics()), List.of("--nics=" + hosts.nics()));
        assertThat(failures(v)).isEmpty();
        for (JsonText.Node nic : v.get("perNic").list()) {
            double payload = nic.get("bytes").number();
            assertThat(payload).isPositive();
            // headers, and repeats of what the shaped queue dropped
            assertThat(nic.get("kernelTxBytes").number() / payload).isCloseTo(1.02, within(0.04));
        }
    }

    @Test
    void aNicWhosePacketsTakeAnotherWayIsNamed() throws Exception {
        // the engine sends from eth4's address, the kernel routes it over eth3: what a host with careless routes does
        hosts.run(Host.A, "ip", "route", "replace", Host.B.address(4) + "/32", "dev", "eth3");
        hosts.run(Host.B, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth3.rp_filter=0");
        hosts.run(Host.A, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth3.rp_filter=0");
        JsonText.Node v = validate(
                6,
                List.of("--nics=" + hosts.nics(), "--transport-option=bind-device=off"),
                List.of("--nics=" + hosts.nics(), "--transport-option=bind-device=off"));
        assertThat(failures(v)).anySatisfy(f -> assertThat(f).startsWith("kernel agrees on eth4: eth4 has sent"));
    }

    @Test
    void aNicThatIsClaimedAndNotUsedIsNamed() throws Exception {
        JsonText.Node v = validate(6, List.of("--nics=eth1,eth2,eth3"), List.of("--nics=" + hosts.nics()));
        assertThat(failures(v)).anySatisfy(f -> assertThat(f).startsWith("all NICs used evenly: eth4 carried nothing"));
    }
}
