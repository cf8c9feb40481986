package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.sluice.spi.TransportConfig;
import org.sluice.spi.TransportException;

class A3MegaProfileTest {
    private static Map<String, String> environment(List<String> nics) {
        return new A3MegaProfile()
                .environment(new TransportConfig(nics, 1, 0, Map.of())).stream()
                        .collect(Collectors.toMap(Profile.Variable::name, Profile.Variable::value));
    }

    @Test
    void everyNicIsForEveryGpuAndNothingIsForTheOlderPlugin() {
        Map<String, String> all = environment(List.of());
        assertThat(all)
                .containsEntry("NCCL_FASTRAK_CTRL_DEV", "eth0")
                .containsEntry("NCCL_FASTRAK_IFNAME", "eth1,eth2,eth3,eth4,eth5,eth6,eth7,eth8")
                .containsEntry("NCCL_FASTRAK_NUM_FLOWS", "2")
                .containsEntry("NCCL_FASTRAK_USE_LLCM", "1")
                .containsEntry("NCCL_NVLSTREE_MAX_CHUNKSIZE", "131072")
                .doesNotContainKey("NCCL_FASTRAK_ALLOW_NIC_SUBSET");
        assertThat(all.keySet()).noneMatch(name -> name.contains("GPUDIRECTTCPX"));
    }

    @Test
    void fewerNicsAreSaidToBeMeant() {
        assertThat(environment(List.of("eth2", "eth3")))
                .containsEntry("NCCL_FASTRAK_IFNAME", "eth2,eth3")
                .containsEntry("NCCL_FASTRAK_ALLOW_NIC_SUBSET", "1");
    }

    @Test
    void profilesAreFoundByName() throws TransportException {
        assertThat(Profile.named("a3-mega").plugin()).endsWith("/libnccl-net.so");
        assertThat(Profile.named("a3-high").plugin()).contains("tcpx");
        assertThatThrownBy(() -> Profile.named("a4"))
                .isInstanceOf(TransportException.class)
                .hasMessageContaining("there are a3-high, a3-mega");
    }
}
