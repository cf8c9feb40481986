package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sluice.ChannelStats;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.Striping;
import org.sluice.Transfer;
import org.sluice.testkit.FreePorts;

/** The seed's job over a plugin that behaves as GPUDirect-TCPX: 8 GPUs, 8 channels each over 4 NICs, one process a side. */
@Timeout(60)
class SeedJobTest {
    private static final int GPUS = 8;
    private static final int CHANNELS = 8;
    private static final long BYTES = 8 << 20;
    private static final int ITERATIONS = 3;

    @ParameterizedTest
    @EnumSource(Striping.class)
    void everyByteArrivesAndTheContractIsKept(Striping striping) {
        run(FakePlugin.tcpx(), "host", striping);
    }

    @Test
    void unpacksInGpuMemory() {
        run(FakePlugin.tcpx().set("CUDA", System.getenv("SLUICE_CUDA_LIBRARY")), "cuda", Striping.ADAPTIVE);
    }

    private static void run(FakePlugin plugin, String backend, Striping striping) {
        NodeConfig config = plugin.node(FreePorts.block(GPUS))
                .backend(backend)
                .gpus(GPUS)
                .channels(CHANNELS)
                .chunkBytes(128 << 10)
                .striping(striping)
                .build();
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            assertThat(client.backend()).isEqualTo(backend);
            List<Link> links = PluginLinkTest.links(server, client);
            List<Region> from = new ArrayList<>();
            List<Region> to = new ArrayList<>();
            for (int g = 0; g < GPUS; g++) {
                from.add(client.allocate(g, BYTES));
                to.add(server.allocate(g, BYTES));
            }
            for (int i = 0; i < ITERATIONS; i++) {
                List<Transfer> transfers = new ArrayList<>();
                for (int g = 0; g < GPUS; g++) {
                    from.get(g).fill(0, BYTES, seed(g, i));
                    transfers.add(links.get(GPUS + g).receive(to.get(g), 0, BYTES));
                    transfers.add(links.get(g).send(from.get(g), 0, BYTES));
                }
                transfers.forEach(t -> t.await(Duration.ofSeconds(30)));
                for (int g = 0; g < GPUS; g++) {
                    assertThat(to.get(g).mismatch(0, BYTES, seed(g, i))).isEqualTo(-1);
                }
            }
            for (int g = 0; g < GPUS; g++) {
                assertThat(links.get(g).channels().stream()
                                .map(ChannelStats::nic)
                                .distinct())
                        .containsExactlyInAnyOrder("fake0", "fake1", "fake2", "fake3");
            }
        }
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
        assertThat(plugin.undrained()).isZero();
        assertThat(plugin.openComms()).isZero();
        assertThat(plugin.requests()).isEqualTo(2L * ITERATIONS * GPUS * (BYTES / (128 << 10)));
    }

    private static long seed(int gpu, int iteration) {
        return gpu * 1000L + iteration;
    }
}
