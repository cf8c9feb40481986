package org.sluice.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.sluice.ConfigException;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.PathTaken;
import org.sluice.Requirements;

/** What a node is not to do without, and a rate that falls in the middle. */
class RequirementsTest {
    private static final PathTaken PATH = new PathTaken(
            "tcp",
            List.of("eth1", "eth2"),
            List.of("eth1", "eth2", "eth3"),
            "host",
            List.of(),
            List.of("eth3 has no channel"));

    @Test
    void whatIsMissingIsToldWithTheReason() {
        assertThat(Requirements.NONE.unmetBy(PATH)).isEmpty();
        assertThat(new Requirements(2, List.of("eth2"), Optional.empty(), 0).unmetBy(PATH))
                .isEmpty();
        assertThat(new Requirements(3, List.of(), Optional.empty(), 0).unmetBy(PATH))
                .contains("3 NICs are required, and the links use 2 (eth1, eth2); eth3 has no channel");
        assertThat(new Requirements(0, List.of("eth1", "eth3"), Optional.empty(), 0).unmetBy(PATH))
                .contains("eth3 is required, and the links do not use it; eth3 has no channel");
    }

    @Test
    void anotherTransportIsRefused() {
        Requirements plugin = new Requirements(0, List.of(), Optional.of("nccl-net"), 0);
        plugin.check("nccl-net");
        assertThatThrownBy(() -> plugin.check("tcp"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("transport nccl-net is required and this node is over tcp");
        assertThatThrownBy(() -> new Requirements(0, List.of(), Optional.empty(), Double.NaN))
                .isInstanceOf(ConfigException.class);
    }

    /** 10 s at 2 GB/s, 5 s at 0.5, 5 s at 2, then idle: told once each, within 3 s. */
    @Test
    void aFallIsToldWithinThreeSecondsAndIdleTimeIsNone() {
        RateWatch watch = new RateWatch(1, List.of());
        long bytes = 0;
        for (int i = 0; i <= 80; i++) {
            double seconds = i * 0.25;
            bytes += seconds > 10 && seconds <= 15 ? 125_000_000L : 500_000_000L;
            watch.judge(true, i * 250_000_000L, bytes);
            if (seconds <= 10 || seconds >= 18) {
                assertThat(watch.isBelow()).as("at %s", seconds).isFalse();
            } else if (seconds >= 13 && seconds <= 15) {
                assertThat(watch.isBelow()).as("at %s", seconds).isTrue();
            }
        }
        for (int i = 81; i < 120; i++) {
            watch.judge(false, i * 250_000_000L, bytes);
        }
        assertThat(watch.isBelow()).isFalse();
    }

    @Test
    void aLinkWithTooFewNicsIsNotMade() {
        Requirements many = new Requirements(99, List.of(), Optional.empty(), 0);
        try (Node server = node(Requirements.NONE);
                Node client = node(many)) {
            InetSocketAddress at = server.listen(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            assertThatThrownBy(() -> client.peer("127.0.0.1:" + at.getPort()).link(0, 0))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("99 NICs are required, and the links use ");
            assertThat(client.path().nics()).isEmpty();
        }
    }

    private static Node node(Requirements requirements) {
        return Node.open(NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .transport("memory")
                .channels(2)
                .requirements(requirements)
                .build());
    }
}
