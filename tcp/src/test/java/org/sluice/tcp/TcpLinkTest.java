package org.sluice.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Striping;
import org.sluice.Transfer;
import org.sluice.testkit.FreePorts;

/** Two nodes of this process over loopback rails. */
class TcpLinkTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private static NodeConfig.Builder config(int port) {
        return NodeConfig.builder()
                .backend("host")
                .gpus(2)
                .nics(List.of("lo1", "lo2", "lo3", "lo4"))
                .portBase(port)
                .deadline(Duration.ofSeconds(10));
    }

    @ParameterizedTest
    @CsvSource({"ADAPTIVE,1", "ADAPTIVE,3", "ROUND_ROBIN,1", "ROUND_ROBIN,2"})
    void bytesArriveWhereTheyBelong(Striping striping, int sockets) throws Exception {
        int port = FreePorts.block(2);
        NodeConfig config = config(port)
                .channels(4)
                .chunkBytes(64 << 10)
                .striping(striping)
                .socketsPerChannel(sockets)
                .build();
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            server.bind();
            CompletableFuture<List<Link>> accepted = CompletableFuture.supplyAsync(() -> server.acceptAll(line -> {}));
            List<Link> out = client.connectAll("127.0.0.1", line -> {});
            List<Link> in = accepted.get();
            long[] lengths = {0, 1, 65535, 65536, 65537, 10_000_000};
            for (int g = 0; g < 2; g++) {
                Region from = client.allocate(g, 16 << 20);
                Region to = server.allocate(g, 16 << 20);
                List<Transfer> transfers = new ArrayList<>();
                for (long length : lengths) {
                    from.fill(0, 16 << 20, length);
                    transfers.add(in.get(g).receive(to, 0, length));
                    transfers.add(out.get(g).send(from, 0, length));
                    for (Transfer t : transfers) {
                        t.await(LIMIT);
                    }
                    assertThat(to.mismatch(0, length, length)).isEqualTo(-1);
                }
            }
        }
    }

    @Test
    void manyTransfersAreUnderWayAtOnce() throws Exception {
        int port = FreePorts.block(2);
        try (Node server = Node.open(config(port).build());
                Node client = Node.open(config(port).build())) {
            server.bind();
            CompletableFuture<List<Link>> accepted = CompletableFuture.supplyAsync(() -> server.acceptAll(line -> {}));
            Link out = client.connectAll("127.0.0.1", line -> {}).getFirst();
            Link in = accepted.get().getFirst();
            int count = 500;
            int bytes = 10_000;
            Region from = client.allocate(0, (long) count * bytes);
            Region to = server.allocate(0, (long) count * bytes);
            from.fill(0, from.size(), 7);
            List<Transfer> transfers = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                transfers.add(in.receive(to, (long) i * bytes, bytes));
                transfers.add(out.send(from, (long) i * bytes, bytes));
            }
            for (Transfer t : transfers) {
                t.await(LIMIT);
            }
            assertThat(to.mismatch(0, to.size(), 7)).isEqualTo(-1);
        }
    }
}
