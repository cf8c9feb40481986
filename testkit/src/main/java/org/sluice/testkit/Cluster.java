package org.sluice.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Some hosts on one machine: network namespaces that are plugged into switches, {@code eth1} to {@code ethN} of each shaped to a rate in
 * both directions, and an unshaped {@code eth0} for control connections. NIC {@code i} of host {@code h} is {@code 10.(100+i).0.(h+1)/24}.
 * Closing ends every process in the namespaces and deletes them. Not thread-safe.
 */
public final class Cluster implements AutoCloseable {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final String prefix;
    private final int hosts;
    private final int nics;
    private final MadeNamespaces namespaces;

    private Cluster(String prefix, int hosts, int nics) {
        this.prefix = prefix;
        this.hosts = hosts;
        this.nics = nics;
        this.namespaces = new MadeNamespaces(
                Stream.concat(IntStream.range(0, hosts).mapToObj(this::namespace), Stream.of(fabric()))
                        .toList());
    }

    /**
     * Makes the hosts.
     *
     * @param name who makes them, for people who look: a few of {@code a-z0-9}
     * @param hosts 2 to 250
     * @param nics shaped NICs of each; at least 1
     * @param rate as tc writes it, {@code 100mbit}
     */
    public static Cluster up(String name, int hosts, int nics, String rate) throws IOException {
        Namespaces.deleteLeftovers();
        Cluster cluster = new Cluster(
                "sluice-%s-%d-%d-".formatted(name, ProcessHandle.current().pid(), 2000 + NUMBER.incrementAndGet()),
                hosts,
                nics);
        try {
            cluster.make(rate);
            return cluster;
        } catch (IOException e) {
            cluster.close();
            throw e;
        }
    }

    private void make(String rate) throws IOException {
        Namespaces.call("ip", "netns", "add", fabric());
        for (int h = 0; h < hosts; h++) {
            Namespaces.call("ip", "netns", "add", namespace(h));
        }
        StringBuilder lines = new StringBuilder();
        for (int n = 0; n <= nics; n++) {
            lines.append("link add br")
                    .append(n)
                    .append(" type bridge\nlink set br")
                    .append(n)
                    .append(" up\n");
            for (int h = 0; h < hosts; h++) {
                String port = port(h, n);
                lines.append("link add ")
                        .append(port)
                        .append(" type veth peer name eth")
                        .append(n)
                        .append(" netns ")
                        .append(namespace(h));
                lines.append("\nlink set ")
                        .append(port)
                        .append(" master br")
                        .append(n)
                        .append(" up\n");
            }
        }
        batch(fabric(), lines.toString());
        for (int h = 0; h < hosts; h++) {
            StringBuilder own = new StringBuilder("link set lo up\n");
            for (int n = 0; n <= nics; n++) {
                own.append("addr add ")
                        .append(address(h, n))
                        .append("/24 dev eth")
                        .append(n)
                        .append("\nlink set eth")
                        .append(n)
                        .append(" up\n");
            }
            batch(namespace(h), own.toString());
            for (int n = 1; n <= nics; n++) {
                rate(h, n, rate);
            }
        }
    }

    private static void batch(String namespace, String lines) throws IOException {
        Path file = Files.createTempFile("cluster", ".ip");
        try {
            Files.writeString(file, lines, StandardCharsets.UTF_8);
            Namespaces.call("ip", "-n", namespace, "-batch", file.toString());
        } finally {
            Files.delete(file);
        }
    }

    private String fabric() {
        return prefix + "f";
    }

    private static String port(int host, int nic) {
        return "p" + host + "-" + nic;
    }

    /** The name under which {@code ip netns} knows a host. */
    public String namespace(int host) {
        return prefix + "n" + host;
    }

    /** A host's address on a NIC, without the prefix length. */
    public static String address(int host, int nic) {
        return "10." + (100 + nic) + ".0." + (host + 1);
    }

    /** The shaped NICs, as {@code --nics} takes them. */
    public String nics() {
        List<String> names = new ArrayList<>();
        for (int n = 1; n <= nics; n++) {
            names.add("eth" + n);
        }
        return String.join(",", names);
    }

    /** A command line that runs {@code command} on a host. */
    public List<String> command(int host, List<String> command) {
        List<String> whole = new ArrayList<>(List.of("ip", "netns", "exec", namespace(host)));
        whole.addAll(command);
        return whole;
    }

    /** Shapes a NIC anew, in both directions. @param rate as tc writes it */
    public void rate(int host, int nic, String rate) throws IOException {
        shape(namespace(host), "eth" + nic, rate);
        shape(fabric(), port(host, nic), rate);
    }

    private static void shape(String namespace, String device, String rate) throws IOException {
        // latency: a queue that holds what a few transfers have under way, so that nothing is lost where nothing is to
        // be
        Namespaces.call(
                "tc", "-n", namespace, "qdisc", "replace", "dev", device, "root", "tbf", "rate", rate, "burst", "64kb",
                "latency", "400ms");
    }

    /** Loses so many of a thousand packets that come in by a NIC. */
    public void lose(int host, int nic, int perMille) throws IOException {
        String table = "loss_eth" + nic;
        Namespaces.call(command(
                        host,
                        List.of(
                                "nft",
                                "add table inet " + table + "; add chain inet " + table
                                        + " in { type filter hook input priority 0; }; add rule inet " + table
                                        + " in iifname eth" + nic + " numgen random mod 1000 < " + perMille + " drop"))
                .toArray(String[]::new));
    }

    /** Ends what still runs on the hosts and deletes them. Idempotent. */
    @Override
    public void close() {
        namespaces.close();
    }
}
