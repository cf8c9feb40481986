package org.sluice.ncclnet;

import java.util.ArrayList;
import java.util.List;
import org.sluice.spi.TransportConfig;

/**
 * Google Cloud A3 Mega: eight H100, eight 200 Gbit/s gVNICs eth1 to eth8 for data, one for each GPU, and eth0 for control,
 * GPUDirect-TCPXO with its receive daemon. The settings are those that Google published in January 2026 for plugin 1.0.15, as far as
 * the plugin and the library in front of it, which checks the environment, read them.
 */
final class A3MegaProfile implements Profile {
    private static final List<String> NICS = List.of("eth1", "eth2", "eth3", "eth4", "eth5", "eth6", "eth7", "eth8");

    /** Where the installer of the plugin puts its files, and where pods get them mounted. */
    private static final List<String> FOLDERS =
            List.of("/usr/local/tcpxo/lib64", "/var/lib/tcpxo/lib64", "/usr/local/nvidia/lib64");

    private static final String PLUGIN = "/libnccl-net.so";

    @Override
    public String name() {
        return "a3-mega";
    }

    @Override
    public String plugin() {
        return Profile.firstThere(FOLDERS.stream().map(f -> f + PLUGIN).toArray(String[]::new));
    }

    @Override
    public List<Variable> environment(TransportConfig config) {
        List<String> nics = config.nics().isEmpty() ? NICS : config.nics();
        String folder = plugin().substring(0, plugin().length() - PLUGIN.length());
        List<Variable> all = new ArrayList<>();
        all.add(fastrak("CTRL_DEV", "eth0", "control connections stay off the data NICs"));
        all.add(fastrak("IFNAME", String.join(",", nics), "NICs for data, all of them for every GPU"));
        if (!nics.containsAll(NICS)) {
            all.add(fastrak("ALLOW_NIC_SUBSET", "1", "fewer NICs than the machine has"));
        }
        all.add(fastrak("NUM_FLOWS", "2", "flows of a channel"));
        all.add(fastrak("USE_SNAP", "1", "transfers by the machine's offload"));
        all.add(fastrak("USE_LLCM", "1", "requests by mapped memory instead of packets"));
        all.add(fastrak("LLCM_DEVICE_DIRECTORY", "/dev/aperture_devices", "where that memory is"));
        all.add(fastrak("ENABLE_CONTROL_CHANNEL", "0", "sizes go with the data"));
        all.add(fastrak("ENABLE_HOTPATH_LOGGING", "0", "no line for each request"));
        all.add(fastrak("PLUGIN_ACCEPT_TIMEOUT_MS", "600000", "a client may start ten minutes later"));
        all.add(new Variable("NCCL_CROSS_NIC", "0", "NICs meet their like: each has a network of its own"));
        all.add(new Variable("NCCL_NET_GDR_LEVEL", "PIX", "checked by the library in front of the plugin"));
        all.add(new Variable("NCCL_NVLSTREE_MAX_CHUNKSIZE", "131072", "checked, and the process ended without it"));
        all.add(new Variable(
                "NCCL_SHIMNET_GUEST_CONFIG_CHECKER_CONFIG_FILE",
                folder + "/a3plus_guest_config.textproto",
                "what the environment is checked by"));
        return List.copyOf(all);
    }

    private static Variable fastrak(String name, String value, String why) {
        return new Variable("NCCL_FASTRAK_" + name, value, why);
    }
}
