package org.sluice.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Builds sysfs trees: devices in {@code devices/}, links to them where the kernel has links. */
final class FakeSysfs {
    private final Path root;

    FakeSysfs(Path root) {
        this.root = root;
    }

    Sysfs sysfs() {
        return new Sysfs(root);
    }

    FakeSysfs numaNode(int id, String cpus) throws IOException {
        return file("devices/system/node/node" + id + "/cpulist", cpus);
    }

    /** A PCI device at a path below {@code devices/}, linked from {@code bus/pci/devices}. */
    FakeSysfs pci(String path, int numaNode) throws IOException {
        file("devices/" + path + "/numa_node", Integer.toString(numaNode));
        String address = path.substring(path.lastIndexOf('/') + 1);
        return link("bus/pci/devices/" + address, "devices/" + path);
    }

    /** A network device below a device, linked from {@code class/net}. */
    FakeSysfs nic(String name, String devicePath, Map<String, String> attributes) throws IOException {
        String folder = "devices/" + devicePath + "/net/" + name;
        for (Map.Entry<String, String> a : attributes.entrySet()) {
            file(folder + "/" + a.getKey(), a.getValue());
        }
        link(folder + "/device", "devices/" + devicePath);
        return link("class/net/" + name, folder);
    }

    FakeSysfs file(String path, String content) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content + "\n");
        return this;
    }

    FakeSysfs link(String from, String to) throws IOException {
        Path link = root.resolve(from);
        Path target = root.resolve(to);
        Files.createDirectories(link.getParent());
        Files.createDirectories(target);
        if (!Files.exists(link)) {
            Files.createSymbolicLink(link, link.getParent().relativize(target));
        }
        return this;
    }

    /**
     * A node like A3 High: two NUMA nodes, 8 GPUs, 4 gVNICs, a switch for every two GPUs and their NIC, two switches to a host
     * bridge; and eth0 on a host bridge of its own.
     */
    static FakeSysfs a3High(Path root) throws IOException {
        FakeSysfs tree = new FakeSysfs(root).numaNode(0, "0-51,104-155").numaNode(1, "52-103,156-207");
        tree.pci("pci0000:f0/0000:f0:03.0", 0).nic("eth0", "pci0000:f0/0000:f0:03.0", Map.of("speed", "-1"));
        for (int s = 0; s < 4; s++) {
            int numa = s / 2;
            String root0 = numa == 0 ? "pci0000:00/0000:00:0" + (s + 1) : "pci0000:80/0000:80:0" + (s - 1);
            String upstream = root0 + ".0/0000:%02x:00.0".formatted(bus(s));
            for (int port = 0; port < 3; port++) {
                String device =
                        upstream + "/0000:%02x:0%d.0/0000:%02x:00.0".formatted(bus(s) + 1, port, bus(s) + 2 + port);
                tree.pci(device, numa);
                if (port == 2) {
                    tree.nic("eth" + (s + 1), device, Map.of("speed", "200000", "mtu", "8244"));
                    tree.file("devices/" + device + "/net/eth" + (s + 1) + "/queues/rx-0/rps_cpus", "0");
                    tree.file("devices/" + device + "/net/eth" + (s + 1) + "/queues/tx-0/xps_cpus", "0");
                    tree.file("devices/" + device + "/net/eth" + (s + 1) + "/queues/tx-1/xps_cpus", "0");
                    tree.link("devices/" + device + "/driver", "bus/pci/drivers/gve");
                }
            }
        }
        return tree;
    }

    private static int bus(int s) {
        return (s < 2 ? 0x04 : 0x84) + (s % 2) * 6;
    }

    /** The PCI address of a GPU of {@link #a3High}: {@code 0000:06:00.0}. */
    static String gpu(int g) {
        return "0000:%02x:00.0".formatted(bus(g / 2) + 2 + g % 2);
    }
}
