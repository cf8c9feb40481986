package org.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sluice.testkit.CProgram;
import org.sluice.testkit.FakeCuda;

/** The seed's job with everything that an A3 High machine has, in fakes that check their contracts: GPUs, and a TCPX plugin. */
class PluginLoopbackIT {
    private static final int GPUS = 8;
    private static final int CHANNELS = 8;

    @TempDir
    static Path folder;

    private static Path plugin;
    private static Path driver;

    @BeforeAll
    static void build() throws IOException {
        assumeTrue(CProgram.canBuild(), "no gcc to build the fake plugin and the fake driver with");
        plugin = CProgram.sharedLibrary("fake_nccl_net.c", folder, "-lpthread", "-ldl");
        driver = FakeCuda.build(folder);
    }

    private static Map<String, String> environment(Path log) {
        return new HashMap<>(Map.of(
                "SLUICE_CUDA_LIBRARY", driver.toString(),
                "FAKE_CUDA_DEVICES", String.valueOf(GPUS),
                "FAKE_NET_CUDA", driver.toString(),
                "FAKE_NET_MODE", "tcpx",
                "FAKE_NET_PAGES", "1024",
                "FAKE_NET_LOG", log.toString()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"kernel", "copies", "host"})
    void theSeedsJobWithUnpackInGpuMemory(String unpack) throws Exception {
        Path log = folder.resolve(unpack + ".log");
        try (JarProcess p = JarProcess.start(
                environment(log),
                "loopback",
                "--transport=nccl-net",
                "--plugin=" + plugin,
                "--unpack=" + unpack,
                "--backend=cuda",
                "--channels=" + CHANNELS,
                "--chunk=64KiB",
                "--size=2MiB",
                "--iters=3",
                "--json")) {
            int status = p.await();
            assertThat(status).as(p.err()).isZero();
            assertThat(p.out())
                    .contains("\"gpus\": 8", "\"channelsPerGpu\": 8", "\"backend\": \"cuda\"")
                    .contains("\"verifiedBytes\": " + 3L * GPUS * (2 << 20) + ",", "\"mismatchedBytes\": 0");
        }
        List<String> said = Files.readAllLines(log);
        assertThat(said).noneMatch(l -> l.startsWith("violation"));
        // both processes' ends of every channel, and nothing on them that was not given back
        assertThat(said)
                .filteredOn(l -> l.startsWith("closed"))
                .hasSizeGreaterThanOrEqualTo(2 * GPUS * CHANNELS)
                .allMatch(l -> l.endsWith(", 0 not done, 0 not consumed, 0 registrations"));
    }

    @Test
    void withoutADriverTheNodeSaysSoAndUsesHostGpus() throws Exception {
        Path log = folder.resolve("host-gpus.log");
        Map<String, String> environment = environment(log);
        environment.put("SLUICE_CUDA_LIBRARY", "/nowhere/libcuda.so.1");
        environment.put("FAKE_NET_CUDA", "");
        environment.put("SLUICE_LOG", "info");
        try (JarProcess p = JarProcess.start(
                environment,
                "loopback",
                "--transport=nccl-net",
                "--plugin=" + plugin,
                "--gpus=1",
                "--size=1MiB",
                "--iters=1")) {
            int status = p.await();
            assertThat(status).as(p.err()).isZero();
            assertThat(p.err())
                    .contains("GPU backend host: ")
                    .contains(
                            "(cuda is not used: there is no CUDA driver: the dynamic linker finds no /nowhere/libcuda.so.1;");
        }
    }
}
