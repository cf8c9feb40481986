package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class NetDevicesTest {
    @Test
    void theLoopbackDeviceIsListedWithItsAddress() throws IOException {
        NetDevice lo = NetDevices.find("lo").orElseThrow();
        assertThat(lo.loopback()).isTrue();
        assertThat(lo.up()).isTrue();
        assertThat(lo.running()).isTrue();
        assertThat(lo.index()).isEqualTo(1);
        assertThat(lo.mtu()).isEqualTo((int) Sysfs.SYSTEM.number("class/net/lo/mtu", -1));
        assertThat(lo.pciPath()).isNull();
        assertThat(lo.numaNode()).isEqualTo(-1);
        assertThat(lo.addresses().getFirst()).hasToString("127.0.0.1/8");
    }

    @Test
    void devicesWithoutAddressesAreListedToo() throws IOException {
        assertThat(NetDevices.list())
                .extracting(NetDevice::name)
                .containsExactlyInAnyOrderElementsOf(Sysfs.SYSTEM.names("class/net").stream()
                        .filter(n -> !n.equals("bonding_masters")) // a file of the bonding driver's
                        .toList());
    }

    @Test
    void anAddressCoversItsSubnetAndNoMore() throws IOException {
        NetAddress a = new NetAddress(InetAddress.getByName("10.1.2.130"), 25);
        assertThat(a.covers(InetAddress.getByName("10.1.2.200"))).isTrue();
        assertThat(a.covers(InetAddress.getByName("10.1.2.127"))).isFalse();
        assertThat(a.covers(InetAddress.getByName("fe80::1"))).isFalse();
        assertThat(new NetAddress(InetAddress.getByName("fe80::1%1"), 64)).hasToString("fe80:0:0:0:0:0:0:1/64");
    }

    @Test
    void theKernelCountsWhatIsSent() throws IOException {
        NetCounters before = NetCounters.readAll().get("lo");
        try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            byte[] payload = new byte[1000];
            for (int i = 0; i < 10; i++) {
                socket.send(new DatagramPacket(payload, payload.length, socket.getLocalSocketAddress()));
            }
        }
        NetCounters counted = NetCounters.readAll().get("lo").minus(before);
        assertThat(counted.txBytes()).isGreaterThanOrEqualTo(10 * 1028);
        assertThat(counted.rxBytes()).isGreaterThanOrEqualTo(10 * 1028);
        assertThat(counted.txPackets()).isGreaterThanOrEqualTo(10);
    }

    @Test
    void aCounterLineOfAnotherFormIsAnError() {
        assertThatThrownBy(() -> NetCounters.parse(List.of("", "", "  eth0: 1 2 3")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("eth0: 1 2 3");
    }
}
