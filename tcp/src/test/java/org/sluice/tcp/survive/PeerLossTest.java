package org.sluice.tcp.survive;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.ServerSocket;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.SluiceException;

/** Peers that are killed or frozen; {@link PeerRounds} does it a hundred times. */
class PeerLossTest {
    private static final int ROUNDS = 5;
    private static final int SILENCE_MILLIS = 1000;
    private static final int AT_MOST_MILLIS = 5000;

    /** With this seed each of killed and frozen, as sender and as receiver, is there at least once. */
    private static final int SEED = 7;

    @Test
    void inMidTransfer() throws Exception {
        assertThat(PeerRounds.run(ROUNDS, SILENCE_MILLIS, AT_MOST_MILLIS, SEED)).isTrue();
    }

    @Test
    void betweenTheLinkAndItsFirstTransfer() throws Exception {
        int port;
        try (ServerSocket probe = new ServerSocket(0)) {
            port = probe.getLocalPort();
        }
        NodeConfig config = NodeConfig.builder()
                .backend("host")
                .gpus(1)
                .nics(List.of("lo1", "lo2"))
                .portBase(port)
                .build();
        try (Node node = Node.open(config)) {
            node.bind();
            CompletableFuture<Link> accepted = CompletableFuture.supplyAsync(() -> node.accept(0));
            try (Side peer = new Side(
                    "peer",
                    List.of(),
                    List.of("register", "lo1,lo2", Integer.toString(port), "4096", "peer=5000", "127.0.0.1"))) {
                peer.await(0, l -> l.equals("REGISTERED"), 60);
                Link link = accepted.get();
                peer.signal("KILL");
                SluiceException why = link.ended().get(AT_MOST_MILLIS, TimeUnit.MILLISECONDS);
                assertThat(why).hasMessageContaining("GPU 0").hasMessageContaining("peer 127.0.0.1");
            }
        }
    }
}
