package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A device is a NIC by what it is: names here lie on purpose. */
class NicChoiceTest {
    private static final String ADDRESS = "10.1.0.2/24";

    private final List<NetDevice> devices = new ArrayList<>(List.of(device("lo", 1, null, 0, 0, true, "127.0.0.1/8")));

    private static NetDevice device(
            String name,
            int index,
            @Nullable String kind,
            int master,
            int lower,
            boolean running,
            String... addresses) {
        return new NetDevice(
                name,
                index,
                true,
                running,
                running,
                index == 1,
                1500,
                0,
                null,
                -1,
                null,
                1,
                1,
                kind,
                master,
                lower,
                List.of(addresses).stream().map(NicChoiceTest::address).toList());
    }

    private static NetAddress address(String text) {
        int slash = text.indexOf('/');
        return new NetAddress(
                InetAddress.ofLiteral(text.substring(0, slash)), Integer.parseInt(text.substring(slash + 1)));
    }

    private int add(String name, @Nullable String kind, int master, int lower, String... addresses) {
        int index = devices.size() + 1;
        devices.add(device(name, index, kind, master, lower, true, addresses));
        return index;
    }

    private void uses(String... names) {
        NicChoice choice = NicChoice.of(devices);
        assertThat(choice.nics())
                .as(choice.leftOut().toString())
                .extracting(NetDevice::name)
                .containsExactly(names);
        assertThat(choice.nics().size() + choice.leftOut().size())
                .as("every device is used or said")
                .isEqualTo(devices.size() - 1);
    }

    private void leavesOut(String nic, String reason) {
        assertThat(NicChoice.of(devices).leftOut()).contains(new NicChoice.LeftOut(nic, reason));
    }

    @Test
    void hardwareWithAnAddressIsOneWhateverItsName() {
        add("docker0", null, 0, 0, ADDRESS);
        uses("docker0");
    }

    @Test
    void aBridgeIsOneByItsPorts() {
        int bridge = add("br-ex", "bridge", 0, 0, ADDRESS);
        leavesOut("br-ex", "is a bridge without a port");
        add("veth1", "veth", bridge, 0);
        uses("br-ex"); // in a container, whose way out is a veth
        add("eth0", null, 0, 0, "192.168.0.2/24");
        uses("eth0"); // on a host, whose veths lead into containers
        leavesOut("br-ex", "is a bridge whose ports (veth1) lead to containers and virtual machines of this host only");
        add("eth1", null, bridge, 0);
        uses("br-ex", "eth0");
        leavesOut("eth1", "has no IP address");
    }

    @Test
    void aBridgeOfVirtualMachinesAloneIsNone() {
        int bridge = add("eth7", "bridge", 0, 0, "192.168.122.1/24");
        add("vnet0", "tun", bridge, 0);
        uses();
        leavesOut("eth7", "is a bridge whose ports (vnet0) lead to containers and virtual machines of this host only");
    }

    @Test
    void whatTheKernelMakesOfNicsIsOne() {
        int lower = add("eth0", null, 0, 0);
        add("eth0.7", "vlan", 0, lower, "10.7.0.2/24");
        add("mac1", "macvlan", 0, lower, "10.8.0.2/24");
        add("ipv1", "ipvlan", 0, lower, "10.9.0.2/24");
        int bond = add("bond0", "bond", 0, 0, "10.10.0.2/24");
        add("eth1", null, bond, 0, "10.11.0.2/24");
        add("eth2", null, bond, 0);
        uses("eth0.7", "mac1", "ipv1", "bond0");
        leavesOut("eth1", "belongs to bond0, which is the NIC");
        assertThat(Wires.of(devices).values()).containsExactly(1, 2, 2, 2, 2, 6, 6, 6);
    }

    @Test
    void theMembersOfAVrfAreNicsAndItIsNone() {
        int vrf = add("red", "vrf", 0, 0, "10.0.0.1/32");
        add("eth1", null, vrf, 0, "10.1.0.2/24");
        add("eth2", null, vrf, 0, "10.2.0.2/24");
        uses("eth1", "eth2");
        leavesOut("red", "is a device of the kind vrf, which leads nowhere");
        assertThat(Wires.of(devices).values()).containsExactly(1, 2, 3, 4);
    }

    @Test
    void aTunnelIsOneOnlyWhereThereIsNothingElse() {
        add("tap0", "tun", 0, 0, "10.0.2.100/24");
        uses("tap0");
        add("eth0", "veth", 0, 0, ADDRESS);
        uses("eth0");
        leavesOut("tap0", "is a tunnel (tun) through other NICs; name it with --nics to use it");
    }

    @Test
    void linkLocalAddressesOfDirectCablesCount() {
        add("eth1", null, 0, 0, "169.254.7.1/16");
        add("eth2", null, 0, 0, "fe80::1/64");
        uses("eth1");
        leavesOut("eth2", "has no IP address but an IPv6 link-local one; name it with --nics to use that");
        assertThat(NicChoice.addresses(devices.getLast(), true)).hasSize(1);
        assertThat(NicChoice.addresses(devices.getLast(), false)).isEmpty();
    }

    @Test
    void aNicWithoutLinkOrAddressSaysSo() {
        devices.add(device("eth1", 2, null, 0, 0, false, ADDRESS));
        add("eth2", null, 0, 0);
        add("d", "dummy", 0, 0, ADDRESS);
        uses();
        leavesOut("eth1", "has no link");
        leavesOut("eth2", "has no IP address");
        leavesOut("d", "is a device of the kind dummy, which leads nowhere");
    }
}
