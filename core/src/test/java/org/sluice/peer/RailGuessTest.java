package org.sluice.peer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sluice.wire.Rail;
import org.sluice.wire.RemoteNic;

class RailGuessTest {
    private static RemoteNic nic(String name, String... addresses) {
        return new RemoteNic(name, List.of(addresses), 0, 0);
    }

    private static Rail rail(int server, int client) {
        return new Rail(server, client, 0, 0);
    }

    @Test
    void nicsOfOneSubnetMeetWhateverTheirOrder() {
        var server = List.of(nic("eth1", "10.1.0.1/24"), nic("eth2", "10.2.0.1/24"));
        var client = List.of(nic("ens7", "10.2.0.2/24"), nic("ens8", "10.1.0.2/24"));
        assertThat(RailGuess.rails(server, client, false)).containsExactly(rail(0, 1), rail(1, 0));
    }

    @Test
    void cloudAddressesWithoutSubnetMeetByName() {
        var server = List.of(nic("eth1", "10.128.0.5/32"), nic("eth2", "10.129.0.5/32"));
        var client = List.of(nic("eth2", "10.129.0.9/32"), nic("eth1", "10.128.0.9/32"));
        assertThat(RailGuess.rails(server, client, false)).containsExactly(rail(0, 1), rail(1, 0));
    }

    @Test
    void whatHasNeitherMeetsByPlace() {
        var server = List.of(nic("a", "10.0.0.1/32"), nic("b", "10.0.1.1/32"));
        var client = List.of(nic("c", "10.0.2.1/32"), nic("d", "10.0.3.1/32"));
        assertThat(RailGuess.rails(server, client, false)).containsExactly(rail(0, 0), rail(1, 1));
    }

    @Test
    void onASingleSubnetNamesDecide() {
        var server = List.of(nic("eth1", "10.0.0.1/24"), nic("eth2", "10.0.0.2/24"));
        var client = List.of(nic("eth2", "10.0.0.4/24"), nic("eth1", "10.0.0.3/24"));
        assertThat(RailGuess.rails(server, client, false)).containsExactly(rail(0, 1), rail(1, 0));
    }

    @Test
    void aNicWithoutPartnerSharesOneOfItsSubnet() {
        var server = List.of(nic("eth1", "10.1.0.1/16"), nic("eth2", "10.1.0.2/16"));
        var client = List.of(nic("eth1", "10.1.0.3/16"));
        assertThat(RailGuess.rails(server, client, false)).containsExactly(rail(0, 0), rail(1, 0));
    }

    @Test
    void aNicThatReachesNobodyIsLeftOut() {
        var server = List.of(nic("eth1", "10.1.0.1/24"), nic("eth2", "10.2.0.1/24"), nic("eth3", "10.3.0.1/24"));
        var client = List.of(nic("eth1", "10.1.0.2/24"), nic("eth3", "10.3.0.2/24"));
        assertThat(RailGuess.rails(server, client, false)).containsExactly(rail(0, 0), rail(2, 1));
    }

    @Test
    void oneAddressOnTwoHostsIsNoNeighbour() {
        var server = List.of(nic("br0", "10.9.0.1/24"), nic("eth1", "10.1.0.1/24"));
        var client = List.of(nic("br0", "10.9.0.1/24"), nic("eth1", "10.1.0.2/24"));
        assertThat(RailGuess.rails(server, client, false)).containsExactly(rail(1, 1));
        assertThat(RailGuess.rails(server, client, true)).containsExactly(rail(0, 0), rail(1, 1));
        assertThat(RailGuess.rails(server.subList(0, 1), client.subList(0, 1), false))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.0.2/24, 10.1.0.1/24, true",
        "10.1.0.2/24, 10.1.1.1/24, false",
        "10.1.0.2/16, 10.1.1.1/24, true",
        "10.1.0.2/32, 10.1.0.2/32, true",
        "10.1.0.2/31, 10.1.0.3/31, true",
        "10.1.0.2/25, 10.1.0.129/25, false",
        "fd00:1::1/64, fd00:1::2/64, true",
        "fd00:1::1/64, fd00:2::2/64, false",
        "10.1.0.2/24, fd00:1::1/64, false",
        "10.1.0.2/0, 10.1.0.1/0, false",
        "10.1.0.2/33, 10.1.0.1/24, false",
        "10.1.0.2/-1, 10.1.0.1/24, false",
        "example.org/24, 10.1.0.1/24, false",
        "10.1.0.2/x, 10.1.0.1/24, false",
        "10.1.0.2, 10.1.0.2, true",
    })
    void subnets(String x, String y, boolean same) {
        assertThat(RailGuess.shared(x, y, true) > 0).isEqualTo(same);
        assertThat(RailGuess.shared(y, x, true) > 0).isEqualTo(same);
    }
}
