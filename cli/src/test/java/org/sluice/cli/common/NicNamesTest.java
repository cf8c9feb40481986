package org.sluice.cli.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sluice.ConfigException;

/** NICs as NCCL's users name them. */
class NicNamesTest {
    private static final List<String> ALL = List.of("lo", "eth0", "eth1", "eth10", "ens3", "docker0");
    private static final List<String> USABLE = List.of("eth0", "eth1", "eth10", "ens3");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "eth1,eth0       | eth1,eth0",
                "eth1            | eth1", // an exact name is that NIC, though eth10 begins so too
                "eth             | eth0,eth1,eth10",
                "ens,eth0        | ens3,eth0",
                "=eth1           | eth1",
                "=eth1,eth10     | eth1,eth10",
                "=eth            | eth", // the transport tells that there is none
                "^eth            | ens3",
                "^=eth1          | eth0,eth10,ens3",
                "^eth1,ens       | eth0",
                "lo1,lo2         | lo1,lo2",
                "docker0         | docker0",
                "nic7            | nic7",
                "' eth1 , ,eth0' | eth1,eth0"
            })
    void areFoundAmongTheMachines(String given, String meant) {
        assertThat(NicNames.of(List.of(given.split(",", -1))).among(ALL, USABLE))
                .containsExactly(meant.split(",", -1));
    }

    @Test
    void excludingAllLeavesNoneAndIsTold() {
        assertThatThrownBy(() -> NicNames.of(List.of("^e")).among(ALL, USABLE))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("leaves no NIC of eth0");
        assertThatThrownBy(() -> NicNames.of(List.of("^"))).isInstanceOf(ConfigException.class);
    }

    @Test
    void oneThatIsNamedTwiceIsTold() {
        assertThatThrownBy(() -> NicNames.of(List.of("eth0", "eth0")).among(ALL, USABLE))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("eth0 is named twice");
    }
}
