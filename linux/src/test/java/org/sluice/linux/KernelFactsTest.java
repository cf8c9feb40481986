package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the running kernel says, held against what it says elsewhere. */
class KernelFactsTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final int EOPNOTSUPP = 95;

    @Test
    void tcpInfoCountsTheBytesOfAConnection() throws IOException {
        InetAddress address = InetAddress.ofLiteral("127.0.0.1");
        try (TcpSocket server = TcpSocket.open(address)) {
            server.bind(address, 0);
            server.listen(1);
            InetSocketAddress to = server.localAddress();
            try (TcpSocket client = TcpSocket.open(address)) {
                client.connect(to);
                TcpSocket accepted = null;
                while (accepted == null) {
                    assertThat(client.finishConnect(to)).isTrue();
                    accepted = server.accept();
                }
                try (TcpSocket peer = accepted) {
                    byte[] payload = new byte[10_000];
                    assertThat(client.sendNow(payload, 0, payload.length)).isEqualTo(payload.length);
                    int got = 0;
                    while (got < payload.length) {
                        got += peer.receiveNow(payload, got);
                    }
                    TcpInfo sent = TcpInfo.of(client.fd());
                    TcpInfo received = TcpInfo.of(peer.fd());
                    assertThat(received.bytesReceived()).isEqualTo(payload.length);
                    assertThat(sent.bytesSent()).isEqualTo(payload.length);
                    assertThat(sent.bytesAcked()).isLessThanOrEqualTo(payload.length + 1);
                    assertThat(sent.totalRetransmits()).isZero();
                    assertThat(sent.rttNanos()).isBetween(1L, 1_000_000_000L);
                    assertThat(sent.congestionWindow()).isBetween(1L, 100_000L);
                    assertThat(sent.sendMss()).isLessThan(sent.pathMtu());
                    // an IPv4 packet has at most 65535 bytes, the loopback device takes one more
                    assertThat(sent.pathMtu())
                            .isEqualTo(Math.min(
                                    65535, NetDevices.find("lo").orElseThrow().mtu()));
                }
            }
        }
    }

    /** Times are milliseconds. */
    private static long unanswered(int retransmits, int probes, long unacked, long sinceSent, long sinceAnswer) {
        int backoff = Math.max(retransmits, probes);
        long first = 200_000_000;
        return new TcpInfo(
                                0,
                                0,
                                0,
                                0,
                                0,
                                0,
                                0,
                                0,
                                retransmits,
                                probes,
                                backoff,
                                first << retransmits,
                                unacked,
                                sinceSent * 1_000_000,
                                sinceAnswer * 1_000_000,
                                0,
                                0,
                                0,
                                0,
                                0,
                                0,
                                0,
                                0,
                                0,
                                0,
                                0)
                        .unansweredNanos()
                / 1_000_000;
    }

    @Test
    void onlyWhatIsOverdueIsUnanswered() {
        assertThat(unanswered(0, 0, 0, 5000, 5000)).as("idle").isZero();
        assertThat(unanswered(0, 0, 10, 150, 5000)).as("just sent after a rest").isZero();
        assertThat(unanswered(1, 0, 10, 50, 5000))
                .as("200 ms and the repeat's 50")
                .isEqualTo(250);
        assertThat(unanswered(2, 0, 10, 20, 5000))
                .as("200, 400 and the second repeat's 20 ms")
                .isEqualTo(620);
        assertThat(unanswered(2, 0, 10, 20, 30))
                .as("answered meanwhile, to something older")
                .isEqualTo(30);
        assertThat(unanswered(0, 1, 0, 5000, 3000))
                .as("asked for a window just now")
                .isZero();
        assertThat(unanswered(0, 2, 0, 5000, 700)).as("asked twice").isEqualTo(700);
    }

    @Test
    void aPeerThatDoesNotReadAnswers() throws Exception {
        InetAddress address = InetAddress.ofLiteral("127.0.0.1");
        try (TcpSocket server = TcpSocket.open(address)) {
            server.bind(address, 0);
            server.listen(1);
            InetSocketAddress to = server.localAddress();
            try (TcpSocket client = TcpSocket.open(address)) {
                client.connect(to);
                assertThat(client.finishConnect(to)).isTrue();
                byte[] payload = new byte[1 << 20];
                TcpInfo info;
                do {
                    int ignored = client.sendNow(payload, 0, payload.length);
                    info = TcpInfo.of(client.fd());
                    assertThat(info.unansweredNanos()).isZero();
                } while (info.sinceAnswerNanos() == 0 || info.notSentBytes() == 0);
                // its window is closed: what waits does so on this side, and nothing is under way
                long end = System.nanoTime() + 1_000_000_000;
                while (System.nanoTime() < end) {
                    assertThat(TcpInfo.of(client.fd()).unansweredNanos()).isZero();
                    Thread.onSpinWait();
                }
            }
        }
    }

    @Test
    void tcpInfoOfSomethingElseIsAnError() {
        assertThatThrownBy(() -> TcpInfo.of(-1))
                .isInstanceOf(LinuxException.class)
                .hasMessageContaining("TCP_INFO");
    }

    @Test
    void theRouteToThisHostLeavesByTheLoopbackDevice() throws IOException {
        Route r = Route.lookup(null, LOOPBACK, 0);
        assertThat(r.device()).isEqualTo(1);
        assertThat(r.gateway()).isNull();
        assertThat(r.source()).isEqualTo(LOOPBACK);
        // 192.0.2.0/24 is for documentation: never an address of this host
        assertThatThrownBy(() -> Route.lookup(InetAddress.ofLiteral("192.0.2.1"), LOOPBACK, 0))
                .isInstanceOf(LinuxException.class)
                .hasMessageContaining("route from 192.0.2.1 to 127.0.0.1");
    }

    @Test
    void everyDeviceAnswersItsDriver() throws IOException {
        for (NetDevice d : NetDevices.list()) {
            Ethtool.Link link = Ethtool.link(d.name());
            if (d.bitsPerSecond() != 0) {
                assertThat(link.bitsPerSecond()).as(d.name()).isEqualTo(d.bitsPerSecond());
            }
            Ethtool.offloads(d.name());
            assertThat(Ethtool.statistics(d.name()).keySet()).as(d.name()).doesNotContain("");
            assertThat(DevmemSupport.of(d.name()).headerSplit()).isNotNull();
        }
        assertThat(Ethtool.offloads("lo").tso()).isTrue();
        assertThatThrownBy(() -> Ethtool.offloads("none0"))
                .isInstanceOf(LinuxException.class)
                .hasMessageContaining("none0");
        assertThatThrownBy(() -> DevmemSupport.of("none0"))
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.errno()).isNotEqualTo(EOPNOTSUPP));
    }

    @Test
    void limitsAndParametersAreRead() throws IOException {
        assertThat(ResourceLimit.OPEN_FILES.soft()).isPositive();
        assertThat(ResourceLimit.LOCKED_MEMORY.soft()).isNotNegative();
        assertThat(Sysctl.numbers("net/ipv4/tcp_rmem")).hasSize(3);
        assertThat(Sysctl.number("net/ipv4/none", -5)).isEqualTo(-5);
        assertThat(Sysctl.number("kernel/ostype", -5)).isEqualTo(-5);
        assertThat(Sysctl.text("kernel/ostype")).isEqualTo("Linux");
    }

    @Test
    void theDeepestAndLastMountCounts() throws IOException {
        List<String> mountinfo = List.of(
                "1 0 8:1 / / rw,relatime - ext4 /dev/sda1 rw",
                "2 1 0:5 / /var rw,noexec shared:7 master:1 - tmpfs tmpfs rw",
                "3 1 0:6 / /var/lib/my\\040dir rw - tmpfs tmpfs rw",
                "4 1 0:7 / /variable rw,nosuid - tmpfs tmpfs rw",
                "5 1 0:8 / /var rw,nodev - xfs /dev/sdb rw");
        assertThat(Mount.of(Path.of("/var/lib/tcpx/x.so"), mountinfo))
                .isEqualTo(new Mount(Path.of("/var"), "xfs", Set.of("rw", "nodev")));
        assertThat(Mount.of(Path.of("/var/lib/my dir/x"), mountinfo).point()).isEqualTo(Path.of("/var/lib/my dir"));
        assertThat(Mount.of(Path.of("/usr"), mountinfo).type()).isEqualTo("ext4");
        assertThat(Mount.of(Path.of("/proc/self/maps")).type()).isEqualTo("proc");
    }

    @Test
    void interruptsAreFoundWhereTheyAreServed(@TempDir Path root) throws IOException {
        FakeSysfs tree = new FakeSysfs(root).pci("pci0000:00/0000:00:03.0", 0);
        tree.file("devices/pci0000:00/0000:00:03.0/msi_irqs/24", "msix");
        tree.file("devices/pci0000:00/0000:00:03.0/msi_irqs/25", "msix");
        tree.file("irq/24/smp_affinity_list", "0-7");
        tree.file("irq/24/effective_affinity_list", "3");
        tree.file("irq/25/smp_affinity_list", "4");
        assertThat(Interrupt.of(tree.sysfs(), tree.sysfs(), "/sys/devices/pci0000:00/0000:00:03.0"))
                .containsExactly(new Interrupt(24, CpuSet.of(3)), new Interrupt(25, CpuSet.of(4)));
    }
}
