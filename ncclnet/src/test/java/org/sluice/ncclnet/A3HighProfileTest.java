package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
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
                .containsEntry("NCCL_GPUDIRECTTCPX_PROGRAM_FLOW_STEERING_WAIT_MICROS", "50000")
                .containsEntry("NCCL_NSOCKS_PERTHREAD", "2");
    }

    @Test
    void nicsAndSocketsFollowWhatIsAskedFor() {
        assertThat(environment(List.of("eth3", "net7"), 4))
                .containsEntry("NCCL_GPUDIRECTTCPX_SOCKET_IFNAME", "eth3,net7")
                .containsEntry("NCCL_GPUDIRECTTCPX_RX_BINDINGS", "eth3:74-87,178-191")
                .containsEntry("NCCL_NSOCKS_PERTHREAD", "4");
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
