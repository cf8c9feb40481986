package org.sluice.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.sluice.testkit.Namespaces.Host.A;
import static org.sluice.testkit.Namespaces.Host.B;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sluice.cli.SluiceProcess;
import org.sluice.cli.common.ExitCode;
import org.sluice.testkit.Namespaces;

/** A healthy pair of hosts has nothing to be told; each planted fault is found, named and advised on. */
class DoctorTest {
    /** In a namespace of its own no port is taken. */
    private static final int PORT = 21000;

    private static final Pattern FINDING =
            Pattern.compile("\"severity\": \"(\\w+)\",\\s+\"check\": \"([^\"]*)\",\\s+\"subject\": \"([^\"]*)\",\\s+"
                    + "\"found\": \"((?:[^\"\\\\]|\\\\.)*)\",\\s+\"advice\": \"((?:[^\"\\\\]|\\\\.)*)\"");

    @TempDir
    Path folder;

    private Namespaces hosts;
    private final List<Process> started = new ArrayList<>();

    /** What the doctor said, the severities {@code warning} and {@code problem} in {@code troubles}. */
    private record Said(int status, List<String> troubles, String all) {
        void tells(String severity, String subject, String found) {
            assertThat(troubles)
                    .as(all)
                    .anySatisfy(t -> assertThat(t)
                            .startsWith(severity + " ")
                            .contains(subject + ": ")
                            .contains(found));
            assertThat(status).as(all).isEqualTo(severity.equals("problem") ? ExitCode.CONFIGURATION : ExitCode.OK);
        }
    }

    @BeforeAll
    static void canRun() {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
    }

    @BeforeEach
    void twoHealthyHosts() throws IOException {
        hosts = Namespaces.up("doctor", 2, "1gbit");
    }

    @AfterEach
    void end() {
        started.forEach(Process::destroyForcibly);
        hosts.close();
    }

    private Said doctor(String... more) throws IOException, InterruptedException {
        return doctor(List.of(), Map.of(), more);
    }

    /** @param before a shell's words before the command: limits, mounts */
    private Said doctor(List<String> before, Map<String, String> environment, String... more)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("doctor", "--json", "--gpus=2", "--port=" + PORT));
        if (List.of(more).stream().noneMatch(m -> m.startsWith("--nics"))) {
            arguments.add("--nics=eth1,eth2");
        }
        arguments.addAll(List.of(more));
        List<String> command = new ArrayList<>();
        if (!before.isEmpty()) {
            command.addAll(List.of("sh", "-c", String.join(" && ", before) + " && exec \"$@\"", "sh"));
        }
        command.addAll(SluiceProcess.command(arguments.toArray(String[]::new)));
        SluiceProcess.Result r = SluiceProcess.run(hosts.command(A, command), environment);
        List<String> troubles = new ArrayList<>();
        int findings = 0;
        for (Matcher m = FINDING.matcher(r.out()); m.find(); findings++) {
            if (m.group(1).equals("warning") || m.group(1).equals("problem")) {
                troubles.add(m.group(1) + " " + m.group(2) + " " + m.group(3) + ": " + m.group(4));
                assertThat(m.group(5)).as("advice on " + m.group(4)).isNotEmpty();
            }
        }
        assertThat(findings).as(r.out() + r.err()).isGreaterThan(5);
        return new Said(r.status(), troubles, r.out());
    }

    /** Starts a server and waits until its ports are open. */
    private void serve(Namespaces.Host host) throws IOException {
        Process server = new ProcessBuilder(hosts.command(
                        host,
                        SluiceProcess.command(
                                "server",
                                "--gpus=2",
                                "--nics=eth1,eth2",
                                "--port=" + PORT,
                                "--steps=stdout",
                                "--size=1MiB")))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        started.add(server);
        BufferedReader lines = server.inputReader(StandardCharsets.UTF_8);
        String line = lines.readLine();
        while (line != null && !line.contains("Bootstrap handshake")) {
            line = lines.readLine();
        }
        assertThat(line).isNotNull();
    }

    private String rails() {
        return "--peer=" + B.address(1) + "," + B.address(2);
    }

    @Test
    void aHealthyPairHasNothingToBeTold() throws Exception {
        Said alone = doctor(rails());
        assertThat(alone.troubles()).isEmpty();
        assertThat(alone.status()).isZero();
        serve(B);
        Said served = doctor(rails());
        assertThat(served.troubles()).isEmpty();
        assertThat(served.all()).contains("port " + PORT + " is open, round trip ");
        Said guessing = doctor("--peer=" + B.address(0));
        assertThat(guessing.troubles()).isEmpty();
        assertThat(guessing.all()).contains("eth1 > " + B.address(1)).contains("eth2 > " + B.address(2));
    }

    @Test
    void aNicThatIsDown() throws Exception {
        hosts.setDown(A, 2);
        doctor().tells("problem", "eth2", "is down");
    }

    @Test
    void aNicWithoutALink() throws Exception {
        hosts.setDown(B, 2);
        doctor().tells("problem", "eth2", "is up and has no link");
    }

    @Test
    void aNicWithoutAnAddress() throws Exception {
        hosts.run(A, "ip", "addr", "flush", "dev", "eth1");
        doctor().tells("problem", "eth1", "has no IP address");
    }

    @Test
    void aNicThatIsNotThere() throws Exception {
        doctor("--nics=eth1,eth7").tells("problem", "eth7", "there is no such device");
    }

    @Test
    void anMtuThatDiffersFromTheOtherNics() throws Exception {
        hosts.run(A, "ip", "link", "set", "eth2", "mtu", "1400");
        doctor().tells("warning", "eth2", "MTU 1400 while another NIC of the job has 1500");
    }

    @Test
    void aPeerWithASmallerMtu() throws Exception {
        hosts.run(B, "ip", "link", "set", "eth1", "mtu", "1300");
        serve(B);
        doctor(rails()).tells("warning", "eth1 > " + B.address(1), "the peer's MTU or the path's is lower");
    }

    @Test
    void offloadsThatAreOff() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/sbin/ethtool")), "turning offloads off takes ethtool");
        hosts.run(A, "ethtool", "-K", "eth1", "tso", "off", "gso", "off");
        doctor().tells("warning", "eth1", "offloads are off: tso, gso");
    }

    @Test
    void strictReversePathFilteringWithTwoNicsInOneSubnet() throws Exception {
        hosts.run(A, "ip", "addr", "flush", "dev", "eth2");
        hosts.run(A, "ip", "addr", "add", "10.101.0.11/24", "dev", "eth2");
        hosts.run(A, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1");
        doctor().tells("problem", "eth2", "rp_filter is strict");
        hosts.run(A, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth2.rp_filter=0");
        doctor().tells("problem", "eth1", "each answers ARP for the others' addresses");
        doctor().tells("problem", "eth2", "each answers ARP for the others' addresses");
        hosts.run(A, "sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1");
        doctor().tells("warning", "eth2", "leave by eth1");
    }

    @Test
    void whatTheTransportLeavesOutIsSaidAndWhy() throws Exception {
        hosts.run(A, "ip", "link", "add", "eth7", "type", "bridge");
        hosts.run(A, "ip", "link", "set", "eth7", "up");
        hosts.run(A, "ip", "addr", "add", "10.77.0.1/24", "dev", "eth7");
        Said said = doctor("--nics=");
        assertThat(said.all()).contains("is not used: it is a bridge without a port");
        assertThat(said.status()).isEqualTo(ExitCode.OK);
    }

    @Test
    void aPortThatIsTaken() throws Exception {
        serve(A);
        doctor().tells("problem", "port " + (PORT + 1), "cannot be opened");
    }

    @Test
    void aRailThatSwallowsEverything() throws Exception {
        hosts.drop(2);
        Said said = doctor(rails());
        said.tells("problem", "eth2 > " + B.address(2), "does not answer");
        assertThat(said.troubles()).hasSize(1);
    }

    @Test
    void aRailWhoseGuessedAddressIsNobodys() throws Exception {
        hosts.run(B, "ip", "addr", "flush", "dev", "eth2");
        doctor("--peer=" + B.address(1)).tells("warning", "eth2 > " + B.address(2), "was guessed");
    }

    @Test
    void smallSocketBuffers() throws Exception {
        hosts.run(A, "sysctl", "-qw", "net.ipv4.tcp_rmem=4096 8192 65536");
        doctor().tells("warning", "tcp_rmem", "the largest receive buffer has 65536 bytes");
    }

    @Test
    void windowScalingThatIsOff() throws Exception {
        hosts.run(A, "sysctl", "-qw", "net.ipv4.tcp_window_scaling=0");
        doctor().tells("warning", "tcp_window_scaling", "64 KiB under way");
    }

    @Test
    void tooFewDescriptors() throws Exception {
        doctor(List.of("ulimit -n 250"), Map.of(), "--channels=64")
                .tells("problem", "open files", "at most 250 descriptors");
    }

    /** The JDK's own libraries are shared libraries as any, and no plugins. */
    private static Path libjava() {
        return Path.of(System.getProperty("java.home"), "lib", "libjava.so");
    }

    @Test
    void aPluginWithoutThePluginsSymbolAndWithoutWhatItNeeds() throws Exception {
        Path plugin = Files.copy(libjava(), folder.resolve("libnccl-net-x.so"));
        Said said = doctor("--transport=nccl-net", "--plugin=" + plugin);
        said.tells("problem", plugin.toString(), "exports no ncclNetPlugin_vN symbol");
        said.tells("problem", plugin.toString(), "needs libjvm.so, which is in none of the loader's folders");
    }

    @Test
    void aPluginThatIsNotThere() throws Exception {
        doctor("--transport=nccl-net", "--plugin=/none/libnccl-net.so")
                .tells("problem", "/none/libnccl-net.so", "there is no such file");
    }

    @Test
    void aPluginOnANoexecMount() throws Exception {
        Path mount = Files.createDirectory(folder.resolve("m"));
        // ip netns exec gives the command a mount namespace of its own: the mount goes with it
        doctor(
                        List.of(
                                "mount -t tmpfs -o noexec none " + mount,
                                "cp " + libjava() + " " + mount + "/libnccl-net-x.so"),
                        Map.of(),
                        "--transport=nccl-net",
                        "--plugin=" + mount + "/libnccl-net-x.so")
                .tells("problem", mount + "/libnccl-net-x.so", "mounted noexec");
    }

    @Test
    void aTcpxPluginWithoutItsReceiveDaemon() throws Exception {
        Path plugin = Files.copy(libjava(), folder.resolve("libnccl-net-tcpx.so"));
        Map<String, String> environment = Map.of("NCCL_GPUDIRECTTCPX_UNIX_CLIENT_PREFIX", folder + "/no-daemon");
        doctor(List.of(), environment, "--transport=nccl-net", "--plugin=" + plugin)
                .tells("problem", folder + "/no-daemon", "receive daemon's sockets is not there");
        Files.createDirectory(folder.resolve("no-daemon"));
        Said said = doctor(List.of(), environment, "--transport=nccl-net", "--plugin=" + plugin);
        assertThat(said.troubles()).anyMatch(t -> t.contains("has no socket of the receive daemon"));
    }

    @Test
    void packetsThatAreTooLargeForThePeerThoughNobodyListensThere() throws Exception {
        hosts.run(B, "ip", "link", "set", "eth1", "mtu", "1300");
        doctor(rails()).tells("warning", "eth1 > " + B.address(1), "packets of MTU 1500 do not get there");
    }

    @Test
    void bindingsThatOverlapOrAreMalformedOrElsewhere() throws Exception {
        Map<String, String> published = Map.of(
                "NCCL_GPUDIRECTTCPX_TX_BINDINGS", "eth1:0-21,112-125;eth2:0-21,112-125",
                "NCCL_GPUDIRECTTCPX_RX_BINDINGS", "eth1:0,22-35,124-139;eth2:0,22-35,126-139");
        doctor(List.of(), published, "--profile=a3-high")
                .tells("warning", "eth1", "RX and TX bindings overlap: CPUs 0,124-125");
        doctor("--tx-bindings=eth1:0;;", "--rx-bindings=eth1:1").tells("problem", "TX bindings", "position");
        doctor("--tx-bindings=eth1:8190", "--rx-bindings=eth1:0").tells("warning", "eth1", "may use none");
    }

    @Test
    void anA3MachineThatIsNotSetUpAsPublished() throws Exception {
        Map<String, String> mega = Map.of("NCCL_FASTRAK_IFNAME", "eth1,eth2", "NCCL_FASTRAK_USE_SNAP", "0");
        Said said = doctor(List.of(), mega);
        said.tells("warning", "NCCL_FASTRAK_USE_SNAP", "is 0, published for this machine is 1");
        said.tells("warning", "NCCL_FASTRAK_LLCM_DEVICE_DIRECTORY", "/dev/aperture_devices is not there");
        Said high = doctor(List.of(), Map.of("NCCL_GPUDIRECTTCPX_RECV_SYNC", "0"), "--profile=a3-high", "--nics=");
        assertThat(high.troubles()).anyMatch(t -> t.contains("eth3: a machine of profile a3-high has this data NIC"));
        assertThat(high.troubles()).anyMatch(t -> t.contains("NCCL_GPUDIRECTTCPX_RECV_SYNC: is 0"));
        doctor("--profile=a5").tells("problem", "a5", "there is no profile a5");
    }

    @Test
    void smallOptionMemoryForZeroCopySends() throws Exception {
        Said said = doctor(
                List.of(
                        "mkdir -p " + folder + "/o",
                        "echo 20480 > " + folder + "/o/max",
                        "mount --bind " + folder + "/o/max /proc/sys/net/core/optmem_max"),
                Map.of("NCCL_GPUDIRECTTCPX_RECV_SYNC", "1"));
        assertThat(said.troubles()).as(said.all()).anyMatch(t -> t.contains("optmem_max: is 20480"));
    }

    @Test
    void tensorsThatOtherProcessesCannotMap() throws Exception {
        for (String variable : List.of("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")) {
            doctor(List.of(), Map.of(variable, "max_split_size_mb:128, expandable_segments:True"))
                    .tells("warning", variable, "expandable_segments is on");
        }
        doctor(List.of(), Map.of("PYTORCH_CUDA_ALLOC_CONF", "backend:cudaMallocAsync"))
                .tells("warning", "PYTORCH_CUDA_ALLOC_CONF", "neither an IPC handle nor a descriptor");
    }

    @Test
    void gpusOnTheBusThatCudaDoesNotShow() throws Exception {
        for (int g = 0; g < 2; g++) {
            Path device = Files.createDirectories(folder.resolve("bus/0000:0" + (4 + g) + ":00.0"));
            Files.writeString(device.resolve("vendor"), "0x10de\n");
            Files.writeString(device.resolve("class"), "0x030200\n");
        }
        doctor(List.of("mount --bind " + folder + "/bus /sys/bus/pci/devices"), Map.of("SLUICE_CUDA_LIBRARY", "/none"))
                .tells("warning", "PCI", "2 GPUs are on the PCI bus, CUDA shows 0");
    }

    @Test
    void tooLittleMemoryAndTooFewThreads() throws Exception {
        doctor("--size=4TiB").tells("problem", "memory", "2 host GPUs of 4 TiB do not fit");
        doctor(List.of("prlimit --nproc=45 --pid $$"), Map.of()).tells("problem", "threads", "allows the user 45");
    }

    @Test
    void aDriverNewerThanThePlugin() throws Exception {
        Path plugin = Files.copy(libjava(), folder.resolve("libnccl-net-tcpx.so"));
        Files.write(
                plugin,
                "\0NET/GPUDirectTCPX_v7 ver. 3.1.9.\0".getBytes(StandardCharsets.US_ASCII),
                StandardOpenOption.APPEND);
        DriverCheck check = new DriverCheck();
        String newer = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024";
        assertThat(check.judge(plugin, newer))
                .singleElement()
                .satisfies(f -> assertThat(f.severity()).isEqualTo(Severity.WARNING))
                .satisfies(f -> assertThat(f.found())
                        .contains("GPUDirect-TCPX 3.1.9, made for drivers up to branch 535, and this is 550"));
        String open = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  535.183.06  Release Build";
        assertThat(check.judge(plugin, open)).extracting(Finding::severity).containsExactly(Severity.OK);
        assertThat(doctor("--plugin=" + plugin).all()).contains("is GPUDirect-TCPX 3.1.9, and no driver is loaded");
        Files.writeString(plugin, "NET/GPUDirectTCPX_v7 ver. 3.1.12.");
        assertThat(check.judge(plugin, newer)).extracting(Finding::severity).containsExactly(Severity.OK);
    }
}
