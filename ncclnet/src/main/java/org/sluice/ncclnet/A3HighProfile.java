package org.sluice.ncclnet;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.sluice.spi.TransportConfig;

/**
 * Google Cloud A3 High: eight H100, four 200 Gbit/s gVNICs eth1 to eth4 for data and eth0 for control, GPUDirect-TCPX with its
 * receive daemon. eth1 and eth2 hang on NUMA node 0 with GPUs 0 to 3, eth3 and eth4 on node 1 with GPUs 4 to 7; node 0 has CPUs 0
 * to 51 and 104 to 155. The settings are those that Google published in June 2026 for plugin 3.1.11 and later; with them the CPUs
 * of sending and receiving threads do not overlap, which in earlier ones they did. What is beyond them (the receive daemon's folder,
 * RECV_SYNC, the pauses) is what UCCL runs with.
 */
final class A3HighProfile implements Profile {
    private static final List<String> NICS = List.of("eth1", "eth2", "eth3", "eth4");
    private static final Map<String, String> TX_CPUS =
            Map.of("eth1", "8-21,112-125", "eth2", "8-21,112-125", "eth3", "60-73,164-177", "eth4", "60-73,164-177");
    private static final Map<String, String> RX_CPUS =
            Map.of("eth1", "22-35,126-139", "eth2", "22-35,126-139", "eth3", "74-87,178-191", "eth4", "74-87,178-191");

    /** Of one channel. Few channels with few sockets leave most of a NIC's 32 receive queues unused. */
    private static final int SOCKETS = 4;

    @Override
    public String name() {
        return "a3-high";
    }

    @Override
    public String plugin() {
        return Profile.firstThere(
                "/usr/local/tcpx/lib64/libnccl-net-tcpx.so",
                "/usr/local/tcpx/lib64/libnccl-net.so",
                "/var/lib/tcpx/lib64/libnccl-net.so",
                "/usr/local/nvidia/lib64/libnccl-net.so");
    }

    @Override
    public List<Variable> environment(TransportConfig config) {
        List<String> nics = config.nics().isEmpty() ? NICS : config.nics();
        int sockets = config.socketsPerChannel() > 1 ? config.socketsPerChannel() : SOCKETS;
        List<Variable> all = new ArrayList<>();
        all.add(tcpx("CTRL_DEV", "eth0", "control connections stay off the data NICs"));
        all.add(tcpx("SOCKET_IFNAME", String.join(",", nics), "NICs for data, all of them for every GPU"));
        all.add(tcpx("TX_BINDINGS", bindings(nics, TX_CPUS), "CPUs of the sending threads, by NIC"));
        all.add(tcpx("RX_BINDINGS", bindings(nics, RX_CPUS), "CPUs of the receiving threads, by NIC"));
        all.add(tcpx("PROGRAM_FLOW_STEERING_WAIT_MICROS", "500000", "an accept waits 5 s without it"));
        all.add(tcpx("UNIX_CLIENT_PREFIX", "/run/tcpx", "where the receive daemon's sockets are"));
        all.add(tcpx("RECV_SYNC", "1", "a send waits for its receive; both ends must agree"));
        all.add(tcpx("FORCE_ACK", "0", "no acknowledgement of its own for each request"));
        all.add(tcpx("TX_COMPLETION_NANOSLEEP", "100", "pause between looks for zero-copy completions"));
        all.add(new Variable("NCCL_NSOCKS_PERTHREAD", String.valueOf(sockets), "sockets of a channel"));
        all.add(new Variable("NCCL_SOCKET_NTHREADS", "1", "helper threads of a channel"));
        all.removeIf(v -> v.value().isEmpty());
        return List.copyOf(all);
    }

    private static Variable tcpx(String name, String value, String why) {
        return new Variable("NCCL_GPUDIRECTTCPX_" + name, value, why);
    }

    /** {@code eth1:8-21,112-125;eth2:...} for the NICs whose CPUs are known. */
    private static String bindings(List<String> nics, Map<String, String> cpus) {
        return String.join(
                ";",
                nics.stream()
                        .filter(cpus::containsKey)
                        .map(n -> n + ":" + cpus.get(n))
                        .toList());
    }
}
