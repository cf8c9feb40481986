package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sluice.spi.EnvironmentVariable;
import org.sluice.spi.Nic;
import org.sluice.spi.Transport;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportException;

class A3HighProfileTest {
    private static Map<String, String> environment(List<String> nics, int sockets) {
        return new A3HighProfile()
                .environment(new TransportConfig(nics, sockets, 0, Map.of())).stream()
                        .collect(Collectors.toMap(Profile.Variable::name, Profile.Variable::value));
    }

    @Test
    void everyNicIsForEveryGpu() {
        assertThat(environment(List.of(), 1))
                .containsEntry("NCCL_GPUDIRECTTCPX_CTRL_DEV", "eth0")
                .containsEntry("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "eth1,eth2,eth3,eth4")
                .containsEntry(
                        "NCCL_GPUDIRECTTCPX_TX_BINDINGS",
                        "eth1:8-21,112-125;eth2:8-21,112-125;eth3:60-73,164-177;eth4:60-73,164-177")
                .containsEntry("NCCL_GPUDIRECTTCPX_PROGRAM_FLOW_STEERING_WAIT_MICROS", "500000")
                .containsEntry("NCCL_NSOCKS_PERTHREAD", "4");
    }

    /** Google's own file once had the same CPUs in both. */
    @Test
    void sendingAndReceivingThreadsShareNoCpu() {
        Map<String, String> all = environment(List.of(), 1);
        Map<String, Set<Integer>> tx = cpus(all.get("NCCL_GPUDIRECTTCPX_TX_BINDINGS"));
        Map<String, Set<Integer>> rx = cpus(all.get("NCCL_GPUDIRECTTCPX_RX_BINDINGS"));
        assertThat(tx).containsOnlyKeys("eth1", "eth2", "eth3", "eth4");
        assertThat(rx).containsOnlyKeys("eth1", "eth2", "eth3", "eth4");
        tx.values()
                .forEach(sending -> assertThat(rx.values())
                        .allMatch(receiving -> receiving.stream().noneMatch(sending::contains)));
    }

    /** By NIC. @param bindings {@code eth1:8-21,112-125;eth2:...} */
    private static Map<String, Set<Integer>> cpus(String bindings) {
        Map<String, Set<Integer>> all = new TreeMap<>();
        for (String binding : bindings.split(";", -1)) {
            String[] parts = binding.split("[:,]", -1);
            Set<Integer> cpus = new TreeSet<>();
            for (String range : Arrays.asList(parts).subList(1, parts.length)) {
                String[] ends = range.split("-", -1);
                IntStream.rangeClosed(Integer.parseInt(ends[0]), Integer.parseInt(ends[1]))
                        .forEach(cpus::add);
            }
            all.put(parts[0], cpus);
        }
        return all;
    }

    @Test
    void whatWouldBeSetIsToldWithoutSettingIt() throws TransportException {
        List<EnvironmentVariable> all = new NcclNetTransportProvider()
                .environment(new TransportConfig(List.of(), 1, 0, Map.of("profile", "a3-high")));
        assertThat(all).anyMatch(v -> v.name().equals("NCCL_GPUDIRECTTCPX_CTRL_DEV") && v.users() == null);
        assertThat(all)
                .anyMatch(v ->
                        v.name().equals("NCCL_DYNAMIC_CHUNK_SIZE") && v.value().equals("524288"));
        assertThat(NativeEnvironment.get("NCCL_GPUDIRECTTCPX_FORCE_ACK")).isNull();
    }

    @Test
    void nicsAndSocketsFollowWhatIsAskedFor() {
        assertThat(environment(List.of("eth3", "net7"), 2))
                .containsEntry("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "eth3,net7")
                .containsEntry("NCCL_GPUDIRECTTCPX_RX_BINDINGS", "eth3:74-87,178-191")
                .containsEntry("NCCL_NSOCKS_PERTHREAD", "2");
        assertThat(environment(List.of("net7"), 1)).doesNotContainKey("NCCL_GPUDIRECTTCPX_TX_BINDINGS");
    }

    @Test
    void thePluginSeesTheProfileAndTheChunkSize() throws TransportException {
        FakePlugin plugin = FakePlugin.tcpx().option("profile", "a3-high");
        try (Transport t =
                new NcclNetTransportProvider().open(new TransportConfig(List.of(), 1, 256 << 10, plugin.options()))) {
            assertThat(t.devices()).extracting(Nic::name).containsExactly("eth1", "eth2", "eth3", "eth4");
            assertThat(t.devices()).allMatch(n -> n.scatters() && n.maxMessageBytes() == 256 << 10);
            assertThat(NativeEnvironment.get("NCCL_DYNAMIC_CHUNK_SIZE")).isEqualTo("262144");
        } finally {
            NativeEnvironment.set("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "");
        }
    }

    @Test
    void whatTheUserSetStays() {
        // PATH stands for any variable that this process was started with
        assertThat(NativeEnvironment.fromUser("PATH")).isEqualTo(System.getenv("PATH"));
        NativeEnvironment.set("SLUICE_TEST_VARIABLE", "ours");
        assertThat(NativeEnvironment.fromUser("SLUICE_TEST_VARIABLE")).isNull();
        assertThat(NativeEnvironment.get("SLUICE_TEST_VARIABLE")).isEqualTo("ours");
    }
}
