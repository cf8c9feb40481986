package org.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sluice.testkit.Namespaces.Host;

class NamespacesTest {
    @BeforeAll
    static void namespaces() {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
    }

    @Test
    void hostsReachEachOtherOverEveryNicAndTheKernelCountsIt() throws IOException {
        try (Namespaces hosts = Namespaces.up("test", 2, "100mbit")) {
            for (int nic = 0; nic <= 2; nic++) {
                Namespaces.Counters before = hosts.counters(Host.B, nic);
                assertThat(reaches(hosts, nic)).isTrue();
                Namespaces.Counters after = hosts.counters(Host.B, nic);
                assertThat(after.rxBytes() - before.rxBytes()).isGreaterThanOrEqualTo(54);
                assertThat(after.rxPackets()).isGreaterThan(before.rxPackets());
            }
            assertThat(hosts.nics()).isEqualTo("eth1,eth2");
        }
    }

    @Test
    void aSilentlyDroppedPairStaysUpAndCarriesNothingUntilRestored() throws IOException {
        try (Namespaces hosts = Namespaces.up("test", 2, "1gbit")) {
            hosts.drop(1);
            assertThat(reaches(hosts, 1)).isFalse();
            assertThat(reaches(hosts, 2)).isTrue();
            assertThat(hosts.run(Host.A, "cat", "/sys/class/net/eth1/operstate").strip())
                    .isEqualTo("up");
            hosts.restore(1);
            assertThat(reaches(hosts, 1)).isTrue();
        }
    }

    @Test
    void aNicThatIsDownTakesTheCarrierFromItsPeer() throws IOException {
        try (Namespaces hosts = Namespaces.up("test", 1, "1gbit")) {
            hosts.setDown(Host.A, 1);
            assertThat(hosts.run(Host.B, "ip", "link", "show", "eth1")).contains("NO-CARRIER");
            hosts.setUp(Host.A, 1);
            assertThat(reaches(hosts, 1)).isTrue();
        }
    }

    @Test
    void theRateCanBeChangedAndLifted() throws IOException {
        try (Namespaces hosts = Namespaces.up("test", 1, "1gbit")) {
            hosts.rate(1, "250mbit");
            assertThat(hosts.run(Host.B, "tc", "qdisc", "show", "dev", "eth1")).contains("tbf", "rate 250Mbit");
            hosts.rate(1, "unlimited");
            assertThat(hosts.run(Host.B, "tc", "qdisc", "show", "dev", "eth1")).doesNotContain("tbf");
            assertThat(reaches(hosts, 1)).isTrue();
        }
    }

    @Test
    void closingEndsTheProcessesAndDeletesBothHosts() throws Exception {
        Namespaces hosts = Namespaces.up("test", 1, "1gbit");
        Process sleeper = hosts.process(Host.A, "sleep", "1000").start();
        // until it has moved into the namespace, closing could not know it
        while (!hosts.run(Host.A, "ip", "netns", "identify", String.valueOf(sleeper.pid()))
                .strip()
                .equals(hosts.namespace(Host.A))) {
            Thread.onSpinWait();
        }
        hosts.close();
        hosts.close();
        assertThat(sleeper.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.exists(Path.of("/run/netns", hosts.namespace(Host.A)))).isFalse();
        assertThat(Files.exists(Path.of("/run/netns", hosts.namespace(Host.B)))).isFalse();
    }

    @Test
    void aCommandThatFailsSaysWhichAndWhy() throws IOException {
        try (Namespaces hosts = Namespaces.up("test", 1, "1gbit")) {
            assertThatThrownBy(() -> hosts.run(Host.A, "ip", "link", "show", "eth9"))
                    .hasMessageContaining("ip link show eth9")
                    .hasMessageContaining("does not exist");
        }
    }

    /** Whether a connection attempt from A is answered: nobody listens, so that the answer of a living host is a refusal. */
    private static boolean reaches(Namespaces hosts, int nic) {
        try {
            hosts.run(Host.A, "timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/" + Host.B.address(nic) + "/9");
            return true;
        } catch (IOException e) {
            return e.getMessage().contains("refused");
        }
    }
}
