package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sluice.linux.Topology.GpuAddress;
import org.sluice.linux.Topology.Place;

class TopologyTest {
    @TempDir
    Path root;

    @Test
    void anA3HighNodeHasItsNearNicPerPairOfGpus() throws IOException {
        Sysfs sysfs = FakeSysfs.a3High(root).sysfs();
        List<GpuAddress> gpus = IntStream.range(0, 8)
                .mapToObj(g -> new GpuAddress("GPU" + g, FakeSysfs.gpu(g)))
                .toList();
        Topology t = Topology.read(sysfs, gpus, List.of("eth0", "eth1", "eth2", "eth3", "eth4"));

        assertThat(t.numaNodes()).extracting(NumaNode::id).containsExactly(0, 1);
        assertThat(t.gpus()).extracting(Place::numaNode).containsExactly(0, 0, 0, 0, 1, 1, 1, 1);
        assertThat(t.nics()).extracting(Place::numaNode).containsExactly(0, 0, 0, 1, 1);
        String[] expected = {
            "NODE PIX PHB SYS SYS",
            "NODE PIX PHB SYS SYS",
            "NODE PHB PIX SYS SYS",
            "NODE PHB PIX SYS SYS",
            "SYS SYS SYS PIX PHB",
            "SYS SYS SYS PIX PHB",
            "SYS SYS SYS PHB PIX",
            "SYS SYS SYS PHB PIX",
        };
        for (int g = 0; g < 8; g++) {
            Place gpu = t.gpus().get(g);
            String row = String.join(
                    " ", t.nics().stream().map(n -> t.distance(gpu, n).symbol()).toList());
            assertThat(row).as(gpu.name()).isEqualTo(expected[g]);
        }
        assertThat(t.distance(t.gpus().get(0), t.gpus().get(1))).isEqualTo(PciDistance.PIX);
        assertThat(t.distance(t.gpus().get(0), t.gpus().get(0))).isEqualTo(PciDistance.SELF);
        assertThat(t.cpusNear(t.gpus().get(5))).hasToString("52-103,156-207");
        assertThat(t.gpus().get(4).pciAddress()).isEqualTo("0000:86:00.0");
        assertThat(t.nics().get(1).pciPath())
                .isEqualTo("/sys/devices/pci0000:00/0000:00:01.0/0000:04:00.0/0000:05:02.0/0000:08:00.0");
    }

    @Test
    void hardwareOfANicIsRead() throws IOException {
        NetHardware eth1 = NetHardware.read(FakeSysfs.a3High(root).sysfs(), "class/net/eth1/");
        assertThat(eth1.bitsPerSecond()).isEqualTo(200_000_000_000L);
        assertThat(eth1.driver()).isEqualTo("gve");
        assertThat(eth1.rxQueues()).isEqualTo(1);
        assertThat(eth1.txQueues()).isEqualTo(2);
        assertThat(NetHardware.read(new Sysfs(root), "class/net/eth0/").bitsPerSecond())
                .isZero();
    }

    @Test
    void twoSwitchesInARowArePxb() throws IOException {
        FakeSysfs tree = new FakeSysfs(root).numaNode(0, "0-3");
        String rootPort = "pci0000:00/0000:00:01.0";
        tree.pci(rootPort + "/0000:01:00.0/0000:02:00.0/0000:03:00.0/0000:04:00.0/0000:05:00.0", 0);
        tree.pci(rootPort + "/0000:01:00.0/0000:02:01.0/0000:06:00.0", 0)
                .nic("eth1", rootPort + "/0000:01:00.0/0000:02:01.0/0000:06:00.0", Map.of());
        Topology t = Topology.read(tree.sysfs(), List.of(new GpuAddress("GPU0", "0000:05:00.0")), List.of("eth1"));
        assertThat(t.distance(t.gpus().get(0), t.nics().get(0))).isEqualTo(PciDistance.PXB);
    }

    /** A virtio NIC's device is a bus below the PCI device, and its NUMA node is the PCI device's. */
    @Test
    void aVirtioNicIsFoundOnItsPciDevice() throws IOException {
        FakeSysfs tree = new FakeSysfs(root).numaNode(0, "0-1").numaNode(1, "2-3");
        tree.pci("pci0000:00/0000:00:05.0", 1).nic("eth0", "pci0000:00/0000:00:05.0/virtio2", Map.of());
        Topology t = Topology.read(tree.sysfs(), List.of(), List.of("eth0"));
        assertThat(t.nics().get(0).pciAddress()).isEqualTo("0000:00:05.0");
        assertThat(t.nics().get(0).numaNode()).isEqualTo(1);
    }

    @Test
    void devicesWithoutAPlaceAreFarFromNobodyAndNearEveryCpu() throws IOException {
        FakeSysfs tree = new FakeSysfs(root).numaNode(0, "0-1").numaNode(1, "2-3");
        tree.file("class/net/veth0/mtu", "1500");
        Topology t = Topology.read(
                tree.sysfs(),
                List.of(new GpuAddress("GPU0", null), new GpuAddress("GPU1", "0000:99:00.0")),
                List.of("veth0"));
        assertThat(t.distance(t.gpus().get(0), t.nics().get(0))).isEqualTo(PciDistance.UNKNOWN);
        assertThat(t.distance(t.gpus().get(1), t.nics().get(0))).isEqualTo(PciDistance.UNKNOWN);
        assertThat(t.cpusNear(t.nics().get(0))).hasToString("0-3");
    }

    @Test
    void gpusOnTheBusWhoeverShowsThem(@TempDir Path tree) throws IOException {
        FakeSysfs sysfs = new FakeSysfs(tree);
        sysfs.pci("pci0000:00/0000:00:04.0", 0)
                .file("devices/pci0000:00/0000:00:04.0/vendor", "0x10de")
                .file("devices/pci0000:00/0000:00:04.0/class", "0x030200")
                .link("devices/pci0000:00/0000:00:04.0/driver", "bus/pci/drivers/nvidia");
        sysfs.pci("pci0000:00/0000:00:05.0", 0)
                .file("devices/pci0000:00/0000:00:05.0/vendor", "0x10de")
                .file("devices/pci0000:00/0000:00:05.0/class", "0x068000"); // a switch of theirs
        sysfs.pci("pci0000:00/0000:00:06.0", 0)
                .file("devices/pci0000:00/0000:00:06.0/vendor", "0x10de")
                .file("devices/pci0000:00/0000:00:06.0/class", "0x030000");
        sysfs.pci("pci0000:00/0000:00:07.0", 0)
                .file("devices/pci0000:00/0000:00:07.0/vendor", "0x1234")
                .file("devices/pci0000:00/0000:00:07.0/class", "0x030000");
        assertThat(PciGpu.list(sysfs.sysfs()))
                .containsExactly(new PciGpu("0000:00:04.0", "nvidia"), new PciGpu("0000:00:06.0", null));
    }
}
