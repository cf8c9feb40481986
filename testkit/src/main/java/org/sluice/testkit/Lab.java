package org.sluice.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Two hosts and what lies between them, as a test wants it: network namespaces {@link Place#A} and {@link Place#B} with NICs of any
 * names and addresses, plugged into bridges and routers in {@link Place#FABRIC}. What is to be made is written down first, a line
 * of {@code ip -batch} each, and made at once. Closing ends every process in the namespaces and deletes them. Not thread-safe.
 */
public final class Lab implements AutoCloseable {
    /** A namespace. */
    public enum Place {
        A("a"),
        B("b"),
        FABRIC("f");

        private final String suffix;

        Place(String suffix) {
            this.suffix = suffix;
        }
    }

    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final String prefix;
    private final Map<Place, StringBuilder> batches = new TreeMap<>();
    private final MadeNamespaces namespaces;
    private int ports;

    private Lab(String prefix) {
        this.prefix = prefix;
        this.namespaces = new MadeNamespaces(
                Stream.of(Place.values()).map(this::namespace).toList());
    }

    /** Makes the empty hosts. @param name who makes them, for people who look: a few of {@code a-z0-9} */
    public static Lab up(String name) throws IOException {
        Namespaces.deleteLeftovers();
        Lab lab = new Lab(
                "sluice-%s-%d-%d-".formatted(name, ProcessHandle.current().pid(), 1000 + NUMBER.incrementAndGet()));
        try {
            for (Place p : Place.values()) {
                Namespaces.call("ip", "netns", "add", lab.namespace(p));
                // addresses are of use at once: nobody else has them
                lab.run(p, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0");
                lab.ip(p, "link set lo up");
            }
            return lab;
        } catch (IOException e) {
            lab.close();
            throw e;
        }
    }

    /** The name under which {@code ip netns} knows a place. */
    public String namespace(Place place) {
        return prefix + place.suffix;
    }

    /** A command line that runs {@code command} there. */
    public List<String> command(Place place, List<String> command) {
        List<String> whole = new ArrayList<>(List.of("ip", "netns", "exec", namespace(place)));
        whole.addAll(command);
        return whole;
    }

    /** Runs a short command to its end. @return what it printed @throws IOException with what it said if it failed */
    public String run(Place place, String... command) throws IOException {
        return Namespaces.call(command(place, List.of(command)).toArray(String[]::new));
    }

    /** Writes down a line for {@code ip}: {@code addr add 10.1.0.1/24 dev eth1}. */
    public Lab ip(Place place, String line) {
        batches.computeIfAbsent(place, p -> new StringBuilder()).append(line).append('\n');
        return this;
    }

    /** A NIC of a host, plugged into a bridge of the fabric, or with an empty name of a bridge into nothing. */
    public Lab nic(Place host, String name, String bridge) {
        String port = "p" + ++ports;
        ip(Place.FABRIC, "link add " + port + " type veth peer name " + name + " netns " + namespace(host));
        if (!bridge.isEmpty()) {
            ip(Place.FABRIC, "link set " + port + " master " + bridge);
        }
        ip(Place.FABRIC, "link set " + port + " up");
        return ip(host, "link set " + name + " up");
    }

    /** A switch. */
    public Lab bridge(String name) {
        ip(Place.FABRIC, "link add " + name + " type bridge");
        return ip(Place.FABRIC, "link set " + name + " up");
    }

    /** A cable with a NIC at each end. */
    public Lab cable(String nicOfA, String nicOfB) {
        ip(
                Place.FABRIC,
                "link add " + nicOfA + " netns " + namespace(Place.A) + " type veth peer name " + nicOfB + " netns "
                        + namespace(Place.B));
        ip(Place.A, "link set " + nicOfA + " up");
        return ip(Place.B, "link set " + nicOfB + " up");
    }

    public Lab address(Place host, String nic, String address) {
        return ip(host, "addr add " + address + " dev " + nic + (address.contains(":") ? " nodad" : ""));
    }

    /** Makes what has been written down: the fabric's part first. */
    public Lab make() throws IOException {
        for (Place p : List.of(Place.FABRIC, Place.A, Place.B)) {
            StringBuilder lines = batches.remove(p);
            if (lines != null) {
                Path file = Files.createTempFile("lab", ".ip");
                try {
                    Files.writeString(file, lines, StandardCharsets.UTF_8);
                    Namespaces.call("ip", "-n", namespace(p), "-batch", file.toString());
                } finally {
                    Files.delete(file);
                }
            }
        }
        return this;
    }

    /** Loses every packet that comes in by a NIC, and tells nobody. */
    public void drop(Place host, String nic) throws IOException {
        run(
                host,
                "nft",
                "add table inet drop_" + nic + "; add chain inet drop_" + nic
                        + " in { type filter hook input priority 0; }; add rule inet drop_" + nic + " in iifname " + nic
                        + " drop");
    }

    /** Ends {@link #drop}. */
    public void restore(Place host, String nic) throws IOException {
        run(host, "nft", "delete table inet drop_" + nic);
    }

    /** Ends what still runs on the hosts and deletes them. Idempotent. */
    @Override
    public void close() {
        namespaces.close();
    }
}
