package org.sluice.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Two hosts on one machine: network namespaces {@link Host#A} and {@link Host#B}, joined by NIC pairs {@code eth1} to
 * {@code ethN} shaped to a rate in both directions, and an unshaped {@code eth0} for the control connections. NIC {@code i} is
 * {@code 10.(100+i).0.1/24} on A and {@code 10.(100+i).0.2/24} on B.
 *
 * <p>The NICs exist only inside the namespaces, and the namespaces carry this process's id in their names, so that test runs
 * side by side do not meet; what a killed run left behind is removed by the next. Closing ends every process in the
 * namespaces and deletes them. Not thread-safe.
 */
public final class Namespaces implements AutoCloseable {
    /** One of the two hosts. */
    public enum Host {
        A("a", 1),
        B("b", 2);

        private final String suffix;
        private final int number;

        Host(String suffix, int number) {
            this.suffix = suffix;
            this.number = number;
        }

        /** The host's address on a NIC, without the prefix length. */
        public String address(int nic) {
            return "10." + (100 + nic) + ".0." + number;
        }
    }

    /** What the kernel counted on a NIC since it was made: whole Ethernet frames, without preamble and checksum. */
    public record Counters(long txBytes, long rxBytes, long txPackets, long rxPackets) {}

    private static final Pattern OURS = Pattern.compile("sluice-[a-z0-9]+-(\\d+)-\\d+-(?:[abf]|n\\d+)");
    private static final int COMMAND_SECONDS = 20;
    private static final AtomicInteger NUMBER = new AtomicInteger();

    // Computed once: making a namespace is the only honest probe of the rights that it takes
    private static final class Probe {
        static final Optional<String> WHY_NOT = look();

        private static Optional<String> look() {
            for (String tool : List.of("ip", "tc", "nft")) {
                if (!onPath(tool)) {
                    return Optional.of("network namespaces need the command " + tool + " (Debian: iproute2, nftables)");
                }
            }
            try (Namespaces probe = up("probe", 1, "1gbit")) {
                probe.drop(1);
                return Optional.empty();
            } catch (IOException e) {
                return Optional.of("network namespaces need root and tc's tbf: " + e.getMessage());
            }
        }

        private static boolean onPath(String tool) {
            String path = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin";
            for (String folder : path.split(":", -1)) {
                if (Files.isExecutable(Path.of(folder, tool))) {
                    return true;
                }
            }
            return false;
        }
    }

    private final String prefix;
    private final int nics;
    private final MadeNamespaces namespaces;

    private Namespaces(String prefix, int nics) {
        this.prefix = prefix;
        this.nics = nics;
        this.namespaces =
                new MadeNamespaces(Stream.of(Host.values()).map(this::namespace).toList());
    }

    /** Whether this machine and user can have namespaces: for {@code assumeTrue(canRun(), Namespaces::whyNot)}. */
    public static boolean canRun() {
        return Probe.WHY_NOT.isEmpty();
    }

    /** Why they cannot, empty if they can. */
    public static String whyNot() {
        return Probe.WHY_NOT.orElse("");
    }

    /**
     * Makes both hosts.
     *
     * @param name who makes them, for people who look: a few of {@code a-z0-9}
     * @param nics shaped pairs, {@code eth1} on; at least 1
     * @param rate as tc writes it, {@code 1gbit}; {@code unlimited} for unshaped NICs
     */
    public static Namespaces up(String name, int nics, String rate) throws IOException {
        deleteLeftovers();
        String prefix =
                "sluice-%s-%d-%d-".formatted(name, ProcessHandle.current().pid(), NUMBER.incrementAndGet());
        Namespaces made = new Namespaces(prefix, nics);
        try {
            made.make(rate);
        } catch (IOException e) {
            made.close();
            throw e;
        }
        return made;
    }

    private void make(String rate) throws IOException {
        for (Host host : Host.values()) {
            call("ip", "netns", "add", namespace(host));
            call("ip", "-n", namespace(host), "link", "set", "lo", "up");
        }
        for (int i = 0; i <= nics; i++) {
            String nic = nic(i);
            // both ends are born inside: no name in the machine's own namespace to collide on
            call(
                    "ip",
                    "-n",
                    namespace(Host.A),
                    "link",
                    "add",
                    nic,
                    "type",
                    "veth",
                    "peer",
                    "name",
                    nic,
                    "netns",
                    namespace(Host.B));
            for (Host host : Host.values()) {
                call("ip", "-n", namespace(host), "addr", "add", host.address(i) + "/24", "dev", nic);
                call("ip", "-n", namespace(host), "link", "set", nic, "up");
            }
            if (i > 0) {
                rate(i, rate);
            }
        }
    }

    /** The field name of a NIC: {@code eth1} for 1. */
    public static String nic(int number) {
        return "eth" + number;
    }

    /** The shaped NICs, as {@code --nics} takes them: {@code eth1,eth2,eth3,eth4}. */
    public String nics() {
        List<String> names = new ArrayList<>();
        for (int i = 1; i <= nics; i++) {
            names.add(nic(i));
        }
        return String.join(",", names);
    }

    /** The name under which {@code ip netns} knows a host. */
    public String namespace(Host host) {
        return prefix + host.suffix;
    }

    /** A command line that runs {@code command} on a host. */
    public List<String> command(Host host, List<String> command) {
        List<String> whole = new ArrayList<>(List.of("ip", "netns", "exec", namespace(host)));
        whole.addAll(command);
        return whole;
    }

    /** A process yet to be started on a host; {@code ip netns exec} replaces itself by it, so that its id is the command's. */
    public ProcessBuilder process(Host host, String... command) {
        return new ProcessBuilder(command(host, List.of(command)));
    }

    /** Runs a short command on a host to its end. @return what it printed @throws IOException with what it said if it failed */
    public String run(Host host, String... command) throws IOException {
        return call(command(host, List.of(command)).toArray(String[]::new));
    }

    /** Takes a NIC down on one host, as if its cable was pulled: the other end loses its carrier. */
    public void setDown(Host host, int nic) throws IOException {
        call("ip", "-n", namespace(host), "link", "set", nic(nic), "down");
    }

    /** Brings a NIC up again. */
    public void setUp(Host host, int nic) throws IOException {
        call("ip", "-n", namespace(host), "link", "set", nic(nic), "up");
    }

    /** Shapes a pair anew, in both directions and while it is in use. @param rate as tc writes it, or {@code unlimited} */
    public void rate(int nic, String rate) throws IOException {
        for (Host host : Host.values()) {
            if (rate.equals("unlimited")) {
                call("tc", "-n", namespace(host), "qdisc", "replace", "dev", nic(nic), "root", "noqueue");
            } else {
                // burst: four of the 64 KiB segments that the kernel hands a NIC at once; latency: a switch's buffer
                call(
                        "tc",
                        "-n",
                        namespace(host),
                        "qdisc",
                        "replace",
                        "dev",
                        nic(nic),
                        "root",
                        "tbf",
                        "rate",
                        rate,
                        "burst",
                        "256kb",
                        "latency",
                        "50ms");
            }
        }
    }

    /** Loses every packet that comes in on a pair, on both hosts, and tells nobody: the NICs stay up. */
    public void drop(int nic) throws IOException {
        for (Host host : Host.values()) {
            String table = "silent_" + nic(nic);
            run(
                    host,
                    "nft",
                    "add table inet " + table
                            + "; add chain inet " + table + " in { type filter hook input priority 0; }"
                            + "; add rule inet " + table + " in iifname " + nic(nic) + " drop");
        }
    }

    /** Ends {@link #drop}. */
    public void restore(int nic) throws IOException {
        for (Host host : Host.values()) {
            run(host, "nft", "delete table inet silent_" + nic(nic));
        }
    }

    /** The kernel's own counters of a NIC. */
    public Counters counters(Host host, int nic) throws IOException {
        String folder = "/sys/class/net/" + nic(nic) + "/statistics/";
        String[] lines = run(
                        host,
                        "cat",
                        folder + "tx_bytes",
                        folder + "rx_bytes",
                        folder + "tx_packets",
                        folder + "rx_packets")
                .strip()
                .split("\n", -1);
        return new Counters(
                Long.parseLong(lines[0]), Long.parseLong(lines[1]), Long.parseLong(lines[2]), Long.parseLong(lines[3]));
    }

    /** Ends what still runs on the hosts and deletes them. Idempotent. */
    @Override
    public void close() {
        namespaces.close();
    }

    static void deleteNamespace(String namespace) {
        try {
            for (String pid : call("ip", "netns", "pids", namespace).split("\\s+", -1)) {
                if (!pid.isEmpty()) {
                    ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
                }
            }
            call("ip", "netns", "del", namespace);
        } catch (IOException e) {
            System.err.println("namespace " + namespace + " is left behind: " + e.getMessage());
        }
    }

    static void deleteLeftovers() throws IOException {
        for (String line : call("ip", "netns", "list").lines().toList()) {
            Matcher name = OURS.matcher(line);
            if (name.lookingAt()
                    && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty()) {
                deleteNamespace(name.group());
            }
        }
    }

    static String call(String... command) throws IOException {
        Path said = Files.createTempFile("namespaces", ".out");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(said.toFile())
                    .start();
            if (!process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException(String.join(" ", command) + " did not end in " + COMMAND_SECONDS + " s");
            }
            String output = Files.readString(said, StandardCharsets.UTF_8);
            if (process.exitValue() != 0) {
                throw new IOException(String.join(" ", command) + " failed: " + output.strip());
            }
            return output;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + command[0] + " ran", e);
        } finally {
            Files.delete(said);
        }
    }
}
