package org.sluice.tcp.rails;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sluice.testkit.Lab;
import org.sluice.testkit.Lab.Place;
import org.sluice.testkit.Namespaces;

/** Set-ups of NICs that people reported, each with what is right in it. Host A is the server. */
class RailRowsTest {
    private static final String SERVER = "10.100.0.1";

    private Lab lab;

    @BeforeAll
    static void canRun() {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
    }

    @BeforeEach
    void up() throws IOException {
        lab = Lab.up("rows");
    }

    @AfterEach
    void down() {
        lab.close();
    }

    private LinkedPair link(String... options) throws Exception {
        return LinkedPair.run(lab, SERVER, List.of(options), List.of(options));
    }

    private static void isRight(LinkedPair pair, String... rails) {
        assertThat(pair.isRight()).as(pair.toString()).isTrue();
        assertThat(pair.rails()).as(pair.toString()).containsExactlyInAnyOrder(rails);
    }

    private Lab cable(String nic, String ofServer, String ofClient) {
        return lab.cable(nic, nic).address(Place.A, nic, ofServer).address(Place.B, nic, ofClient);
    }

    @Test
    void threeNicsOfOneSubnetOnOneBridgeWithDefaultSettings() throws Exception {
        lab.bridge("br0");
        for (int n = 1; n <= 3; n++) {
            lab.nic(Place.A, "eth" + n, "br0").address(Place.A, "eth" + n, "10.100.0." + n + "/24");
            lab.nic(Place.B, "eth" + n, "br0").address(Place.B, "eth" + n, "10.100.0.1" + n + "/24");
        }
        lab.make();
        LinkedPair pair = link();
        assertThat(pair.isRight()).as(pair.toString()).isTrue();
        assertThat(pair.rails()).as(pair.toString()).hasSize(3);
    }

    @Test
    void threeNicsOfOneSubnetWithoutIpv6SayWhoAnswersForWhom() throws Exception {
        lab.bridge("br0");
        for (int n = 1; n <= 3; n++) {
            lab.nic(Place.A, "eth" + n, "br0").address(Place.A, "eth" + n, "10.100.0." + n + "/24");
            lab.nic(Place.B, "eth" + n, "br0").address(Place.B, "eth" + n, "10.100.0.1" + n + "/24");
        }
        for (Place host : List.of(Place.A, Place.B)) {
            lab.run(host, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1");
        }
        lab.make();
        LinkedPair pair = link();
        assertThat(pair.isRight()).as(pair.toString()).isTrue();
        if (pair.rails().stream().map(r -> r.split(" ", -1)[1]).distinct().count() < 3) {
            assertThat(pair.leftOut(true)).as(pair.toString()).isNotEmpty();
        }
        assertThat(pair.toString()).doesNotContain("errno 107");
    }

    @Test
    void aBridgeWithoutAPortThatBothHostsHave() throws Exception {
        cable("eth1", "10.100.0.1/24", "10.100.0.2/24");
        for (Place host : List.of(Place.A, Place.B)) {
            lab.ip(host, "link add xbr0 type bridge");
            lab.ip(host, "link set xbr0 up").address(host, "xbr0", "10.77.0.1/24");
        }
        lab.make();
        LinkedPair pair = link();
        isRight(pair, "eth1 eth1");
        assertThat(pair.leftOut(true)).contains("xbr0 is a bridge without a port");
        assertThat(pair.leftOut(false)).contains("xbr0 is a bridge without a port");
    }

    @Test
    void oneAddressOnTwoHostsIsNoNeighbour() throws Exception {
        cable("eth1", "10.100.0.1/24", "10.100.0.2/24");
        lab.nic(Place.A, "eth2", "").address(Place.A, "eth2", "10.77.0.1/24");
        lab.nic(Place.B, "eth2", "").address(Place.B, "eth2", "10.77.0.1/24");
        LinkedPair pair = make();
        isRight(pair, "eth1 eth1");
        assertThat(pair.leftOut(false)).anyMatch(l -> l.startsWith("eth2 carries nothing"));
        assertThat(pair.leftOut(true)).anyMatch(l -> l.startsWith("eth2 carries nothing"));
    }

    private LinkedPair make() throws Exception {
        lab.make();
        return link();
    }

    @Test
    void theOnlyAddressIsOnABridgeWithAPort() throws Exception {
        lab.cable("eth1", "eth1");
        lab.ip(Place.A, "link add br-ex type bridge").ip(Place.A, "link set eth1 master br-ex");
        lab.ip(Place.A, "link set br-ex up").address(Place.A, "br-ex", "10.100.0.1/24");
        lab.address(Place.B, "eth1", "10.100.0.2/24");
        isRight(make(), "eth1 br-ex");
    }

    @Test
    void withoutANicTowardsTheOtherHostItIsRefusedAtOnceAndEachReasonIsSaid() throws Exception {
        lab.cable("eth1", "eth1").address(Place.A, "eth1", "10.100.0.1/24");
        lab.ip(Place.B, "link add br9 type bridge").ip(Place.B, "link set br9 up");
        lab.address(Place.B, "br9", "10.100.0.2/32");
        lab.ip(Place.B, "route add 10.100.0.1 dev eth1 src 10.100.0.2").ip(Place.A, "route add 10.100.0.2 dev eth1");
        LinkedPair pair = make();
        assertThat(pair.failure())
                .contains("no NIC here leads to another host")
                .contains("br9 is a bridge without a port")
                .contains("eth1 has no IP address but an IPv6 link-local one");
    }

    @Test
    void aDirectCableWithLinkLocalAddresses() throws Exception {
        cable("eth1", "169.254.7.1/16", "169.254.7.2/16");
        lab.make();
        isRight(LinkedPair.run(lab, "169.254.7.1", List.of(), List.of()), "eth1 eth1");
        isRight(LinkedPair.run(lab, "169.254.7.1", List.of("nics=eth1"), List.of("nics=eth1")), "eth1 eth1");
    }

    @Test
    void aNicWithTwoAddressesOfWhichOneLeadsNowhere() throws Exception {
        cable("eth1", "10.200.0.9/32", "10.201.0.9/32");
        lab.address(Place.A, "eth1", "10.100.0.1/24").address(Place.B, "eth1", "10.100.0.2/24");
        isRight(make(), "eth1 eth1");
    }

    @Test
    void dataNicsBehindRoutersAndAManagementNetworkInCommon() throws Exception {
        cable("mgmt", "10.100.0.1/24", "10.100.0.2/24");
        lab.run(Place.FABRIC, "sysctl", "-qw", "net.ipv4.ip_forward=1");
        for (int n = 1; n <= 2; n++) {
            for (Place host : List.of(Place.A, Place.B)) {
                String own = "10." + (200 + n) + "." + (host == Place.A ? 0 : 1) + ".";
                String router = "r" + n + host;
                lab.bridge(router).address(Place.FABRIC, router, own + "0/31");
                lab.nic(host, "eth" + n, router).address(host, "eth" + n, own + "1/31");
                lab.ip(host, "route add 10." + (200 + n) + ".0.0/16 via " + own + "0 dev eth" + n);
            }
        }
        isRight(make(), "mgmt mgmt", "eth1 eth1", "eth2 eth2");
    }

    @Test
    void oneRailOfFiveIsDeadBeforeTheStart() throws Exception {
        cable("eth0", "10.100.0.1/24", "10.100.0.2/24");
        for (int n = 1; n <= 4; n++) {
            cable("eth" + n, "10.10" + n + ".0.1/24", "10.10" + n + ".0.2/24");
        }
        lab.make();
        lab.drop(Place.A, "eth3");
        lab.drop(Place.B, "eth3");
        LinkedPair pair = link();
        isRight(pair, "eth0 eth0", "eth1 eth1", "eth2 eth2", "eth4 eth4");
        assertThat(pair.leftOut(false))
                .anyMatch(l -> l.startsWith("eth3 carries nothing to ") && l.contains("10.103.0.2 > eth3 10.103.0.1"));
        assertThat(pair.leftOut(true)).anyMatch(l -> l.startsWith("eth3 carries nothing to "));
    }

    @Test
    void aNicWhosePeerIsDownIsNoReasonToFail() throws Exception {
        cable("eth0", "10.100.0.1/24", "10.100.0.2/24");
        cable("eth1", "10.101.0.1/24", "10.101.0.2/24");
        lab.ip(Place.A, "link set eth1 down");
        LinkedPair pair = make();
        isRight(pair, "eth0 eth0");
        assertThat(pair.leftOut(true)).contains("eth1 is down");
        assertThat(pair.leftOut(false)).anyMatch(l -> l.startsWith("eth1 "));
    }

    @Test
    void packetsAsLargeAsTheMtuThatDoNotGetThroughAreNoRail() throws Exception {
        cable("eth0", "10.100.0.1/24", "10.100.0.2/24");
        cable("eth1", "10.101.0.1/24", "10.101.0.2/24");
        lab.make();
        for (Place host : List.of(Place.A, Place.B)) {
            lab.run(
                    host,
                    "nft",
                    "add table ip hole; add chain ip hole in { type filter hook input priority 0; };"
                            + " add rule ip hole in iifname eth1 meta length > 1000 drop");
        }
        for (Place host : List.of(Place.A, Place.B)) {
            lab.run(host, "sysctl", "-qw", "net.ipv6.conf.eth1.disable_ipv6=1");
        }
        isRight(link(), "eth0 eth0");
    }

    @Test
    void theFirewallLetsAFewDataPortsIn() throws Exception {
        cable("eth0", "10.100.0.1/24", "10.100.0.2/24");
        cable("eth1", "10.101.0.1/24", "10.101.0.2/24");
        lab.make();
        lab.run(
                Place.A,
                "nft",
                "add table inet wall; add chain inet wall in { type filter hook input priority 0; };"
                        + " add rule inet wall in ct state established accept;"
                        + " add rule inet wall in tcp dport { 20000, 40000-40007 } accept;"
                        + " add rule inet wall in meta l4proto tcp drop");
        isRight(link("ports=40000-40007"), "eth0 eth0", "eth1 eth1");
    }

    @Test
    void usedUpDataPortsAreNamed() throws Exception {
        cable("eth0", "10.100.0.1/24", "10.100.0.2/24");
        lab.make();
        LinkedPair pair = LinkedPair.run(lab, SERVER, List.of("ports=20000"), List.of());
        assertThat(pair.failure()).contains("every data port, 20000, is in use");
    }

    @Test
    void oneNicFacesFour() throws Exception {
        lab.bridge("br0");
        lab.nic(Place.A, "big", "br0").address(Place.A, "big", "10.100.0.1/24");
        IntStream.rangeClosed(1, 4)
                .forEach(n -> lab.nic(Place.B, "eth" + n, "br0").address(Place.B, "eth" + n, "10.100.0.1" + n + "/24"));
        isRight(make(), "eth1 big", "eth2 big", "eth3 big", "eth4 big");
    }

    @Test
    void aClientWaitsForAHostThatIsStillDown() throws Exception {
        cable("eth1", "10.100.0.1/24", "10.100.0.2/24");
        lab.ip(Place.A, "link set eth1 down");
        lab.make();
        isRight(
                LinkedPair.run(
                        lab,
                        SERVER,
                        List.of(),
                        List.of(),
                        () -> lab.ip(Place.A, "link set eth1 up").make()),
                "eth1 eth1");
    }
}
