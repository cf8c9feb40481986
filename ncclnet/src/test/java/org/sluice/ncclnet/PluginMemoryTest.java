package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.Link;
import org.sluice.Node;
import org.sluice.NodeConfig;
import org.sluice.Region;
import org.sluice.SluiceException;
import org.sluice.Striping;
import org.sluice.Transfer;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuBackend;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.Registration;
import org.sluice.spi.TransportException;
import org.sluice.testkit.FakeCuda;
import org.sluice.testkit.FreePorts;

/** What a plugin does with the memory it is given: whole pages, who fills it, when the GPU sees it, and how it is let go. */
@Timeout(60)
class PluginMemoryTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final String DRIVER = System.getenv("SLUICE_CUDA_LIBRARY");

    private FakeCuda cuda;

    @BeforeEach
    void driver() throws Exception {
        FakePlugin.plain(7); // builds the driver where it is looked for
        cuda = FakeCuda.at(Path.of(DRIVER));
    }

    @AfterEach
    void ordered() {
        cuda.set("FAKE_CUDA_WRITES_ORDERING", 100);
    }

    private static NodeConfig gpus(FakePlugin plugin) {
        return plugin.node(FreePorts.block(1)).backend("cuda").build();
    }

    private static void move(NodeConfig config, long bytes) {
        try (Node server = Node.open(config);
                Node client = Node.open(config)) {
            List<Link> links = PluginLinkTest.links(server, client);
            Region from = client.allocate(0, bytes);
            Region to = server.allocate(0, bytes);
            from.fill(0, bytes, 7);
            Transfer in = links.get(1).receive(to, 0, bytes);
            Transfer out = links.get(0).send(from, 0, bytes);
            in.await(LIMIT);
            assertThat(to.mismatch(0, bytes, 7)).isEqualTo(-1);
            out.await(LIMIT);
        }
    }

    private static void kept(FakePlugin plugin) {
        assertThat(plugin.violations()).as(plugin.firstViolation()).isZero();
        assertThat(plugin.openComms()).isZero();
        assertThat(plugin.registrations()).as("registrations").isZero();
    }

    /** TCPX hands the size to the driver's dmabuf export as it is. */
    @ParameterizedTest
    @ValueSource(longs = {1, 100_001, 1 << 20})
    void wholePagesOfAGpusMemoryAreRegistered(long bytes) {
        FakePlugin plugin = FakePlugin.tcpx().set("CUDA", DRIVER);
        move(gpus(plugin), bytes);
        kept(plugin);
    }

    @Test
    void ofAdoptedMemoryWithAnOddEndTheInnerPagesAreSentAndTheRestIsRefused() throws Exception {
        FakePlugin plugin = FakePlugin.tcpx().set("CUDA", DRIVER);
        try (var open = new NcclNetTransportProvider().open(plugin.transportConfig());
                Gpu gpu = cudaGpu()) {
            gpu.bindThread();
            try (Loop loop = Loop.over(open, gpu);
                    GpuMemory whole = gpu.allocate(3 * 4096)) {
                GpuMemory odd = gpu.adopt(whole.address(), 2 * 4096 + 100);
                Registration inner = loop.sender().register(odd);
                assertThat(loop.sender().send(inner, odd.address(), 8192, 0, 0)).isTrue();
                assertThatThrownBy(() -> loop.sender().send(inner, odd.address() + 8192, 100, 0, 0))
                        .isInstanceOf(TransportException.class)
                        .hasMessageContaining("whole pages of 4096 bytes only: the last 100 bytes")
                        .hasMessageContaining("adopt whole pages");
                GpuMemory small = gpu.adopt(whole.address(), 100);
                assertThatThrownBy(() -> loop.sender().register(small))
                        .isInstanceOf(TransportException.class)
                        .hasMessageContaining("takes whole pages of 4096 bytes, this memory has 100 bytes");
            }
        }
        kept(plugin);
    }

    /** TCPX fills host memory itself, on a device that scatters, and leaves the count of descriptors 0. */
    @Test
    void hostMemoryThatAnUnpackingPluginFillsItselfIsNotUnpacked() {
        FakePlugin plugin = FakePlugin.tcpx().set("HOST", "direct");
        move(plugin.node(FreePorts.block(1)).build(), 5_000_003);
        kept(plugin);
    }

    /** Its bounce buffer lies in a GPU's memory, which a host GPU cannot reach, and does not need to. */
    @Test
    void hostGpusWorkWithAPluginWhoseBounceBufferTheyCannotReach() {
        FakePlugin plugin = FakePlugin.tcpx().set("HOST", "direct").set("BOUNCE", "elsewhere");
        move(plugin.node(FreePorts.block(1)).build(), 1_000_003);
        kept(plugin);
    }

    @Test
    void whatLiesInABounceBufferThatAHostGpuCannotReachIsRefused() {
        FakePlugin plugin = FakePlugin.tcpx().set("BOUNCE", "elsewhere");
        NodeConfig config =
                plugin.node(FreePorts.block(1)).striping(Striping.ROUND_ROBIN).build();
        assertThatThrownBy(() -> move(config, 100_000))
                .isInstanceOf(SluiceException.class)
                .hasMessageContaining("a bounce buffer in a GPU's memory, which a host GPU cannot reach");
        kept(plugin);
    }

    /** The fake shows the GPU what has come only after a flush: without one every byte is missing. */
    @ParameterizedTest
    @CsvSource({"5,has", "8,has", "12,has", "8,missing"})
    void whatHasLandedIsVisibleToTheGpu(int api, String flush) {
        FakePlugin plugin =
                FakePlugin.plain(api).set("CUDA", DRIVER).set("LATE", "1").set("FLUSH", flush);
        cuda.set("FAKE_CUDA_WRITES_ORDERING", 0);
        long before = cuda.count("flushes");
        move(gpus(plugin), 5_000_003);
        if (flush.equals("has")) {
            assertThat(plugin.flushes()).isPositive();
            assertThat(cuda.count("flushes")).isEqualTo(before);
        } else {
            assertThat(cuda.count("flushes")).isGreaterThan(before);
        }
        kept(plugin);
    }

    @Test
    void aDeviceThatKeepsTheOrderOfWritesIsNotFlushed() {
        FakePlugin plugin = FakePlugin.plain(8).set("CUDA", DRIVER).set("FLUSH", "missing");
        long before = cuda.count("flushes");
        move(gpus(plugin), 1_000_000);
        assertThat(cuda.count("flushes")).isEqualTo(before);
        kept(plugin);
    }

    /** TCPX: what a helper thread still sends from is let go with the comm, and only then forgotten. */
    @Test
    void withRequestsInFlightTheCommGoesBeforeItsMemory() throws Exception {
        FakePlugin plugin = FakePlugin.tcpx().fault("isend:stall");
        try (var open = new NcclNetTransportProvider().open(plugin.transportConfig());
                Loop loop = Loop.over(open)) {
            assertThat(loop.send(4096)).isTrue();
            assertThat(loop.send(4096)).isTrue();
            loop.sender().close();
            assertThat(loop.sender().isClosed()).isTrue();
        }
        kept(plugin);
    }

    private static Gpu cudaGpu() {
        return ServiceLoader.load(GpuBackend.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(b -> b.name().equals("cuda"))
                .findFirst()
                .orElseThrow()
                .open(0);
    }
}
