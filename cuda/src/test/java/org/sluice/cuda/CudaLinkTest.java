package org.sluice.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.Striping;
import org.sluice.Transfer;
import org.sluice.testkit.CProgram;
import org.sluice.testkit.FakeCuda;
import org.sluice.testkit.FreePorts;

/** GPU memory to GPU memory over kernel sockets: two nodes, the fake driver's GPUs, staging through pinned slots. */
class CudaLinkTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int CHUNK = 64 << 10;
    private static final int GPUS = 2;

    private static FakeCuda fake;

    private Node server;
    private Node client;
    private List<Link> in;
    private List<Link> out;

    @BeforeAll
    static void build() throws IOException {
        assumeTrue(CProgram.canBuild(), "no gcc to build the fake driver with");
        Path library = Path.of(System.getenv(CudaLibrary.VARIABLE));
        fake = FakeCuda.load(Files.createDirectories(library.getParent()));
        assertThat(fake.library()).isEqualTo(library);
    }

    @BeforeEach
    void lag() {
        fake.set("FAKE_CUDA_DELAY_US", 30);
    }

    private void connect(Striping striping) throws Exception {
        NodeConfig config = NodeConfig.builder()
                .gpus(GPUS)
                .nics(List.of("lo1", "lo2"))
                .channels(3)
                .chunkBytes(CHUNK)
                .striping(striping)
                .portBase(FreePorts.block(2))
                .deadline(Duration.ofSeconds(10))
                .build();
        server = Node.open(config);
        client = Node.open(config);
        assertThat(server.backend()).isEqualTo("cuda");
        assertThat(server.gpuName(1)).isEqualTo("Fake GPU");
        server.bind();
        CompletableFuture<List<Link>> accepted = CompletableFuture.supplyAsync(() -> server.acceptAll(line -> {}));
        out = client.connectAll("127.0.0.1", line -> {});
        in = accepted.get();
    }

    @AfterEach
    void nothingIsLeftAndNothingWasBroken() {
        fake.set("FAKE_CUDA_FAIL", "none:0");
        if (client != null) {
            client.close();
            server.close();
            client.close();
        }
        assertThat(fake.breach()).isEmpty();
        assertThat(fake.live()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Striping.class)
    void lengthsAndPlacesAroundEveryEdge(Striping striping) throws Exception {
        connect(striping);
        int[] lengths = {
            0, 1, 15, 4095, 4096, 4097, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK - 1, 3 * CHUNK, 3 * CHUNK + 1, 5_000_003
        };
        int[] places = {0, 1, 7, 16, 511, 4095, 4096};
        for (int gpu = 0; gpu < GPUS; gpu++) {
            try (Region source = client.allocate(gpu, 6 << 20);
                    Region target = server.allocate(gpu, 6 << 20)) {
                out.get(gpu).register(source);
                in.get(gpu).register(target);
                for (int i = 0; i < lengths.length * places.length; i++) {
                    int length = lengths[i % lengths.length];
                    int from = places[i % places.length];
                    int to = places[(i + i / 7) % places.length];
                    transferAndCompare(gpu, source, from, target, to, length, i);
                }
            }
        }
    }

    /** Views at odd addresses, so that what is compared begins where the transfer does; the bytes around it must stay. */
    private void transferAndCompare(int gpu, Region source, int from, Region target, int to, int length, long seed) {
        target.fill(0, target.size(), ~seed);
        try (Region sent = client.adopt(gpu, source.address() + from, length + 1);
                Region got = server.adopt(gpu, target.address() + to, length + 8)) {
            sent.fill(0, length, seed);
            Transfer received = in.get(gpu).receive(got, 0, length);
            Transfer send = out.get(gpu).send(sent, 0, length);
            received.await(LIMIT);
            send.await(LIMIT);
            assertThat(got.mismatch(0, length, seed))
                    .as("first wrong byte of " + length + " from " + from + " to " + to)
                    .isEqualTo(-1);
            int end = to + length;
            long around = target.mismatch((end + 7L) & -8, 64, ~seed);
            assertThat(around).as("first byte beyond").isEqualTo(-1);
            if (to >= 8) {
                assertThat(target.mismatch(0, to, ~seed)).isEqualTo(-1);
            }
        }
    }

    @Test
    void tenThousandTransfersLeaveNothingBehind() throws Exception {
        fake.set("FAKE_CUDA_DELAY_US", 0);
        connect(Striping.ADAPTIVE);
        int each = 2500;
        Random random = new Random(5);
        try (Region a = client.allocate(0, 1 << 20);
                Region b = server.allocate(0, 1 << 20)) {
            a.fill(0, a.size(), 1);
            b.fill(0, b.size(), 2);
            Map<String, Long> atFirst = Map.of();
            for (int round = 0; round < 5; round++) {
                ArrayDeque<Transfer> open = new ArrayDeque<>();
                int longest = 0;
                // the first round only warms up: events and verification buffers are made when first needed
                for (int i = 0; i < each; i++) {
                    int length = 1 + random.nextInt(2 * CHUNK);
                    longest = Math.max(longest, length);
                    open.add(in.get(0).receive(b, 0, length));
                    open.add(out.get(0).send(a, 0, length));
                    while (open.size() > 16) {
                        open.remove().await(LIMIT);
                    }
                }
                for (Transfer t : open) {
                    t.await(LIMIT);
                }
                assertThat(b.mismatch(0, longest, 1)).isEqualTo(-1);
                Map<String, Long> now = withoutEvents(fake.live());
                if (round == 0) {
                    atFirst = now;
                }
                assertThat(now).isEqualTo(atFirst);
                // as many events as copies were ever in flight together, and no more: 3 channels of 4 slots, two
                // directions
                assertThat(fake.count("events")).isLessThanOrEqualTo(2 * 3 * 4 * 2);
            }
        }
    }

    private static Map<String, Long> withoutEvents(Map<String, Long> live) {
        live.remove("events");
        return live;
    }

    @Test
    void aGpuErrorFailsTheTransferAndNamesTheGpu() throws Exception {
        connect(Striping.ADAPTIVE);
        try (Region a = client.allocate(1, 1 << 20);
                Region b = server.allocate(1, 1 << 20)) {
            fake.set("FAKE_CUDA_FAIL", "cuMemcpyDtoHAsync_v2:700");
            in.get(1).receive(b, 0, b.size());
            Transfer sent = out.get(1).send(a, 0, a.size());
            assertThatThrownBy(() -> sent.await(LIMIT))
                    .isInstanceOf(SluiceException.class)
                    .hasMessageContaining("GPU 1")
                    .hasMessageContaining("cuMemcpyDtoHAsync failed")
                    .hasMessageContaining("700");
            in.get(1).close();
            out.get(1).close();
        }
    }
}
