package org.sluice.tcp.survive;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.sluice.testkit.Cluster;

/**
 * The measured run of a hostile peer: a node with a heap of 128 MiB has an honest link over four NICs, and one with a peer on a fifth NIC
 * that says legal frames as fast as it can, one kind after the other. After each kind the same bytes a second go over the fifth NIC to a plain
 * sink on the node's host; the honest link's rate beside the one is compared with that beside the other. {@code HostileRounds SECONDS
 * SECRET [rate of a NIC] [rate of the fifth] [kind...]}, each kind for so many seconds; a secret of "-" is none.
 */
final class HostileRounds {
    private static final int NICS = 5;
    private static final int TARGET = 0;
    private static final int HONEST = 1;
    private static final int HOSTILE = 2;
    private static final long SECOND = 1_000_000_000L;
    private static final double WANTED = 0.9;

    private HostileRounds() {}

    /** When something was told, by the clock that all processes of the machine share. */
    private record Told(long nanos, String[] words) {
        static Told of(String line) {
            String[] words = line.split(" ", -1);
            return new Told(Long.parseLong(words[1]), words);
        }
    }

    public static void main(String[] args) throws Exception {
        double seconds = Double.parseDouble(args[0]);
        String secret = args[1];
        String rate = args.length > 2 ? args[2] : "100mbit";
        String fifth = args.length > 3 ? args[3] : rate;
        List<String> kinds = args.length > 4
                ? List.of(args).subList(4, args.length)
                : List.of("notes", "regions", "opens", "writes", "pings");
        List<String> hostileArguments = new ArrayList<>(
                List.of("hostile", "eth5", "20000", secret, Cluster.address(TARGET, NICS), Double.toString(seconds)));
        hostileArguments.addAll(kinds);
        boolean good = true;
        try (Cluster hosts = Cluster.up("host", 3, NICS, rate)) {
            for (int host : new int[] {TARGET, HONEST, HOSTILE}) {
                hosts.rate(host, NICS, fifth);
                for (int nic = 0; nic <= NICS; nic++) {
                    if (host != TARGET && (nic == 0 || (nic == NICS) == (host == HONEST))) {
                        run(hosts, host, "ip", "link", "set", "eth" + nic, "down"); // nobody goes by another's NIC
                    }
                }
            }
            try (Side target = side(hosts, TARGET, "-Xmx128m", "target", hosts.nics(), "20000", secret);
                    Side sink = side(hosts, TARGET, "-Xmx64m", "sink", "21000")) {
                target.await(0, l -> l.equals("BOUND"), 60);
                sink.await(0, l -> l.equals("BOUND"), 60);
                try (Side honest = side(
                        hosts,
                        HONEST,
                        "-Xmx256m",
                        "honest",
                        "eth1,eth2,eth3,eth4",
                        "20000",
                        secret,
                        Cluster.address(TARGET, 1))) {
                    honest.await(0, l -> l.equals("READY"), 60);
                    try (Side hostile = new Side(
                            "hostile",
                            hosts.command(HOSTILE, List.of("nice", "-n", "10")),
                            List.of("-Xmx512m"),
                            HostileSide.class,
                            hostileArguments)) {
                        hostile.await(0, l -> l.equals("READY"), 60);
                        System.out.printf(
                                Locale.ROOT,
                                "4 NICs of %s, a fifth of %s, %s secret, %d processors; alone %.4f GB/s, resident %d MiB%n",
                                rate,
                                fifth,
                                secret.equals("-") ? "no" : "a",
                                Runtime.getRuntime().availableProcessors(),
                                settled(target, seconds),
                                resident(target));
                        System.out.println("said      frames/s  MB/s on eth5  honest GB/s  beside a sink  ratio"
                                + "  longest gap ms  resident MiB");
                        for (String kind : kinds) {
                            good &= round(hosts, target, hostile, kind, seconds);
                        }
                        String over = hostile.await(0, l -> l.startsWith("OVER"), ((long) seconds) * 3 + 30);
                        System.out.println("the hostile link is " + over.substring(5) + ", most resident "
                                + mostResident(target) + " MiB");
                        List<String> ends = target.lines().stream()
                                .filter(l -> l.startsWith("E "))
                                .toList();
                        ends.forEach(System.out::println);
                        good &= ends.isEmpty();
                    }
                }
            }
        }
        System.out.println(good ? "as wanted" : "NOT AS WANTED");
        System.exit(good ? 0 : 1);
    }

    private static double settled(Side target, double seconds) throws InterruptedException {
        Thread.sleep((long) (seconds * 500));
        long from = System.nanoTime();
        Thread.sleep((long) (seconds * 400));
        return Samples.of(target.lines()).rate(from, System.nanoTime());
    }

    private static boolean round(Cluster hosts, Side target, Side hostile, String kind, double seconds)
            throws Exception {
        Told begun = Told.of(hostile.await(0, l -> l.matches("B \\d+ " + kind), ((long) seconds) * 3 + 30));
        long before = came(hosts);
        long since = System.nanoTime();
        Thread.sleep((long) (seconds * 900));
        double onWire = (came(hosts) - before) * 1e9 / (System.nanoTime() - since);
        Told done = Told.of(hostile.await(0, l -> l.startsWith("D ") && l.contains(" " + kind + " "), 60));
        long now = resident(target);
        // headers are not the plain sender's to send
        Told plainBegun;
        Told plainDone;
        try (Side plain = new Side(
                "plain",
                hosts.command(HOSTILE, List.of("nice", "-n", "10")),
                List.of("-Xmx64m"),
                HostileSide.class,
                List.of(
                        "plain",
                        Cluster.address(TARGET, NICS),
                        "21000",
                        Double.toString(onWire * 0.95),
                        Double.toString(seconds * 0.7)))) {
            plainBegun = Told.of(plain.await(0, l -> l.startsWith("B "), 60));
            plainDone = Told.of(plain.await(0, l -> l.startsWith("D "), 60));
        }
        Samples s = Samples.of(target.lines());
        double attacked = s.rate(begun.nanos + SECOND / 2, done.nanos);
        double beside = s.rate(plainBegun.nanos + SECOND / 2, plainDone.nanos);
        long frames = Long.parseLong(done.words[3]);
        boolean good = attacked >= WANTED * beside;
        System.out.printf(
                Locale.ROOT,
                "%-8s %9.0f %13.2f %12.4f %14.4f %6.3f %15.0f %13d%s%n",
                kind,
                frames * 1e9 / (done.nanos - begun.nanos),
                onWire / 1e6,
                attacked,
                beside,
                attacked / beside,
                s.longestGap(begun.nanos, done.nanos),
                now,
                good ? "" : "  <--");
        return good;
    }

    /** What the kernel counted on the target's fifth NIC. */
    private static long came(Cluster hosts) throws IOException {
        return Long.parseLong(run(hosts, TARGET, "cat", "/sys/class/net/eth" + NICS + "/statistics/rx_bytes")
                .strip());
    }

    private static String run(Cluster hosts, int host, String... command) throws IOException {
        Process p = new ProcessBuilder(hosts.command(host, List.of(command)))
                .redirectErrorStream(true)
                .start();
        String said = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (p.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + " failed: " + said.strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return said;
    }

    /** MiB of memory that a process has now. */
    private static long resident(Side of) throws IOException {
        return status(of, "VmRSS:");
    }

    private static long mostResident(Side of) throws IOException {
        return status(of, "VmHWM:");
    }

    private static long status(Side of, String line) throws IOException {
        for (String l : Files.readAllLines(Path.of("/proc/" + of.pid() + "/status"))) {
            if (l.startsWith(line)) {
                return Long.parseLong(l.replaceAll("\\D", "")) >> 10;
            }
        }
        throw new IOException("no " + line + " of process " + of.pid());
    }

    private static Side side(Cluster hosts, int host, String heap, String... arguments) throws IOException {
        return new Side(
                arguments[0], hosts.command(host, List.of()), List.of(heap), HostileSide.class, List.of(arguments));
    }
}
