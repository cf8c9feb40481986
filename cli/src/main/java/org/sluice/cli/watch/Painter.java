package org.sluice.cli.watch;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sluice.ChannelConnections;
import org.sluice.ChannelStats;
import org.sluice.ChannelTimes;
import org.sluice.Latencies;
import org.sluice.Link;
import org.sluice.LinkStats;
import org.sluice.NicInfo;
import org.sluice.Node;
import org.sluice.SluiceException;
import org.sluice.linux.NetCounters;
import org.sluice.linux.NetDevice;

/** Puts what the engine, the kernel and the clock say into a {@link Picture}. */
final class Painter {
    /** A chunk's head on a connection of the tcp transport; docs/protocol.md. Plugins do not say what they add. */
    private static final int TCP_FRAME_BYTES = 40;

    /** Linux makes it in each network namespace, under this name. */
    private static final String LOOPBACK = "lo";

    private static final double[] SHARES = {50, 75, 90, 95, 99, 99.9, 99.99, 100};

    private final Node node;
    private final List<Link> links;
    private final Context context;
    private final boolean sameHost;
    private final Kernel kernel;
    private final Instant startedAt = Instant.now();
    private @Nullable List<ChannelConnections> frozenConnections;
    private @Nullable Map<String, NetCounters> frozenCounters;

    Painter(Node node, List<Link> links, Context context) {
        this.node = node;
        this.links = List.copyOf(links);
        this.context = context;
        this.sameHost = isThisHost(links.getFirst().peer());
        this.kernel = new Kernel(
                node.nics().stream().map(this::device).filter(Objects::nonNull).collect(Collectors.toSet()));
    }

    /** A peer on this same host is reached over the loopback device, whatever address it has. */
    private static boolean isThisHost(String peer) {
        try {
            InetAddress address = InetAddress.getByName(peer.substring(0, Math.max(0, peer.lastIndexOf(':'))));
            return address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null;
        } catch (IOException e) {
            return false;
        }
    }

    /** The kernel's device that counts what goes over a NIC. */
    private @Nullable String device(NicInfo nic) {
        return sameHost && nic.kernelDevice() != null ? LOOPBACK : nic.kernelDevice();
    }

    /** @param movingCpu seconds; @param stalled by NIC; @param end null while it runs; @param limits by which performance is judged, null where it is not */
    Picture paint(
            List<Reading> all,
            double movingCpu,
            Map<String, Double> stalled,
            @Nullable RunEnd end,
            @Nullable Limits limits) {
        List<Reading> readings = fromFirstByte(all);
        Reading last = readings.getLast();
        List<LinkStats> stats = links.stream().map(Link::stats).toList();
        List<ChannelConnections> connections = frozenConnections == null ? connections() : frozenConnections;
        Map<String, NetCounters> counted = frozenCounters == null ? kernel.since() : frozenCounters;
        long bytes = last.bytes();
        double seconds = end == null ? last.seconds() - readings.getFirst().seconds() : end.seconds();
        List<NicAccount> accounts = end == null ? List.of() : accounts(stats, connections, counted);
        List<Picture.NicPart> nics = nics(last, seconds, connections, counted, accounts, stalled);
        List<Verdict> verdicts = new ArrayList<>();
        if (end != null) {
            if (limits != null) {
                verdicts.addAll(Verdicts.ofPerformance(limits, end, nics, movingCpu, bytes));
            }
            verdicts.addAll(Verdicts.ofAnyRun(end, nics, accounts));
        }
        return new Picture(
                context.role(),
                links.getFirst().peer(),
                startedAt.toString(),
                end == null,
                round(seconds),
                bytes,
                context.plannedBytes(),
                round(end == null ? rate(bytes, seconds) : end.gbPerSecond()),
                round(last.cpuSeconds()),
                round(movingCpu),
                bytes == 0 ? null : round(movingCpu / (bytes / 1e9)),
                context.configuration(),
                verdicts,
                gpus(stats, seconds),
                nics,
                channels(stats, connections),
                latencies(stats),
                timeline(readings));
    }

    /** While regions are filled for the first time nothing moves: that is no part of the picture. */
    private static List<Reading> fromFirstByte(List<Reading> readings) {
        int first = 0;
        while (first < readings.size() - 1 && readings.get(first).bytes() == 0) {
            first++;
        }
        return readings.subList(Math.max(0, first - 1), readings.size());
    }

    /** Keeps what the kernel says now: soon the links are closed, and others use the NICs. */
    void freeze() {
        frozenCounters = kernel.since();
        frozenConnections = connections();
    }

    private List<ChannelConnections> connections() {
        List<ChannelConnections> all = new ArrayList<>();
        for (Link l : links) {
            try {
                all.addAll(l.connections());
            } catch (SluiceException | IllegalStateException e) {
                // it is ending: the kernel has nothing to say any more
            }
        }
        return all;
    }

    private List<Picture.GpuPart> gpus(List<LinkStats> stats, double seconds) {
        return stats.stream()
                .map(s -> {
                    long bytes =
                            s.channels().stream().mapToLong(ChannelStats::bytes).sum();
                    return new Picture.GpuPart(
                            s.gpu(),
                            node.gpuName(s.gpu()),
                            bytes,
                            round(rate(bytes, seconds)),
                            s.transfers().done(),
                            round(s.transfers().durations().quantile(0.5) / 1e6));
                })
                .toList();
    }

    private List<NicAccount> accounts(
            List<LinkStats> stats, List<ChannelConnections> connections, Map<String, NetCounters> counted) {
        Map<String, List<String>> byDevice = new LinkedHashMap<>();
        for (NicInfo nic : node.nics()) {
            String device = device(nic);
            if (device != null && counted.containsKey(device)) {
                byDevice.computeIfAbsent(device, d -> new ArrayList<>()).add(nic.name());
            }
        }
        List<NicAccount> accounts = new ArrayList<>();
        byDevice.forEach((name, nics) -> {
            NetDevice device = kernel.devices().get(name);
            NetCounters kernelCount = counted.get(name);
            if (device != null && kernelCount != null) {
                accounts.add(account(device, nics, stats, connections, kernelCount));
            }
        });
        return accounts;
    }

    private NicAccount account(
            NetDevice device,
            List<String> nics,
            List<LinkStats> stats,
            List<ChannelConnections> connections,
            NetCounters counted) {
        List<ChannelStats> there = stats.stream()
                .flatMap(s -> s.channels().stream())
                .filter(c -> nics.contains(c.nic()))
                .toList();
        Wire wire = connections.stream()
                .filter(c -> nics.contains(c.nic()))
                .map(Wire::of)
                .reduce(Wire.NONE, Wire::plus);
        return new NicAccount(
                device.name(),
                nics,
                device.loopback(),
                there.stream()
                        .filter(ChannelStats::sending)
                        .mapToLong(ChannelStats::bytes)
                        .sum(),
                there.stream()
                        .filter(c -> !c.sending())
                        .mapToLong(ChannelStats::bytes)
                        .sum(),
                there.stream()
                        .filter(ChannelStats::sending)
                        .mapToLong(ChannelStats::chunks)
                        .sum(),
                there.stream()
                        .filter(c -> !c.sending())
                        .mapToLong(ChannelStats::chunks)
                        .sum(),
                context.transport().equals("tcp") ? TCP_FRAME_BYTES : 0,
                device.mtu(),
                wire.segment(),
                wire.bytesAgain(),
                discarded(stats),
                counted.txBytes(),
                counted.rxBytes());
    }

    /**
     * What was in a socket when its channel was lost is counted as sent, was discarded, and went again on another channel: no more
     * than channels have carried on top of what the transfers had.
     */
    private static long discarded(List<LinkStats> stats) {
        long carried = stats.stream()
                .flatMap(s -> s.channels().stream())
                .mapToLong(ChannelStats::bytes)
                .sum();
        long transferred = stats.stream().mapToLong(s -> s.transfers().bytes()).sum();
        return Math.max(0, carried - transferred);
    }

    private List<Picture.NicPart> nics(
            Reading last,
            double seconds,
            List<ChannelConnections> connections,
            Map<String, NetCounters> counted,
            List<NicAccount> accounts,
            Map<String, Double> stalled) {
        List<Picture.NicPart> parts = new ArrayList<>();
        long all = Math.max(1, last.bytes());
        for (int i = 0; i < node.nics().size(); i++) {
            NicInfo nic = node.nics().get(i);
            String device = device(nic);
            NetCounters c = device == null ? null : counted.get(device);
            NicAccount account = accounts.stream()
                    .filter(a -> a.nics().contains(nic.name()))
                    .findFirst()
                    .orElse(null);
            Wire wire = connections.stream()
                    .filter(x -> x.nic().equals(nic.name()))
                    .map(Wire::of)
                    .reduce(Wire.NONE, Wire::plus);
            parts.add(new Picture.NicPart(
                    nic.name(),
                    device,
                    nic.bitsPerSecond(),
                    last.nicSent()[i],
                    last.nicReceived()[i],
                    round(rate(last.nicBytes(i), seconds)),
                    round((double) last.nicBytes(i) / all),
                    c == null ? null : c.txBytes(),
                    c == null ? null : c.rxBytes(),
                    account == null ? null : round(account.overheadSent()),
                    account == null ? null : round(account.overheadReceived()),
                    account == null ? null : account.agrees(),
                    round(stalled.getOrDefault(nic.name(), 0.0)),
                    wire.segments(),
                    wire.segmentsAgain(),
                    wire.rttMicros(),
                    device == null ? List.of() : kernel.losses(device)));
        }
        return parts;
    }

    private static List<Picture.ChannelPart> channels(List<LinkStats> stats, List<ChannelConnections> connections) {
        record Key(int gpu, boolean sending, int index) {}
        Map<Key, Wire> wires = new HashMap<>();
        connections.forEach(c -> wires.merge(new Key(c.gpu(), c.sending(), c.index()), Wire.of(c), Wire::plus));
        List<Picture.ChannelPart> parts = new ArrayList<>();
        for (LinkStats s : stats) {
            for (ChannelStats c : s.channels()) {
                long side = s.channels().stream()
                        .filter(o -> o.sending() == c.sending())
                        .mapToLong(ChannelStats::bytes)
                        .sum();
                Wire wire = wires.getOrDefault(new Key(s.gpu(), c.sending(), c.index()), Wire.NONE);
                parts.add(channel(s.gpu(), c, (double) c.bytes() / Math.max(1, side), wire));
            }
        }
        return parts;
    }

    private static Picture.ChannelPart channel(int gpu, ChannelStats c, double share, Wire wire) {
        ChannelTimes t = c.times();
        Latencies l = t.latency();
        return new Picture.ChannelPart(
                gpu,
                c.index(),
                direction(c.sending()),
                c.nic(),
                c.peerNic(),
                c.bytes(),
                c.chunks(),
                c.damaged(),
                c.retried(),
                round(share),
                t.inFlight(),
                t.window(),
                round(t.occupancy()),
                new Picture.StatePart(
                        round(t.idleNanos() / 1e9),
                        round(t.noGrantNanos() / 1e9),
                        round(t.noSlotNanos() / 1e9),
                        round(t.socketNanos() / 1e9),
                        round(t.stagingNanos() / 1e9)),
                round(l.quantile(0.5) / 1e3),
                round(l.quantile(0.99) / 1e3),
                round(l.quantile(0.999) / 1e3),
                round(l.max() / 1e3),
                wire.rttMicros(),
                wire.segmentsAgain());
    }

    private static List<Picture.LatencyPart> latencies(List<LinkStats> stats) {
        return Stream.of(true, false)
                .map(sending -> {
                    Latencies all = stats.stream()
                            .flatMap(s -> s.channels().stream())
                            .filter(c -> c.sending() == sending)
                            .map(c -> c.times().latency())
                            .reduce(Latencies.NONE, Latencies::plus);
                    List<Picture.Quantile> quantiles = new ArrayList<>();
                    for (double share : SHARES) {
                        quantiles.add(new Picture.Quantile(share, round(all.quantile(share / 100) / 1e3)));
                    }
                    return new Picture.LatencyPart(direction(sending), all.count(), round(all.mean() / 1e3), quantiles);
                })
                .filter(p -> p.chunks() > 0)
                .toList();
    }

    private Picture.TimelinePart timeline(List<Reading> readings) {
        List<Double> seconds = new ArrayList<>();
        List<Double> cpu = new ArrayList<>();
        List<List<Double>> gpus = lists(links.size());
        List<List<Double>> nics = lists(node.nics().size());
        for (int i = 1; i < readings.size(); i++) {
            Reading a = readings.get(i - 1);
            Reading b = readings.get(i);
            double span = Math.max(1e-9, b.seconds() - a.seconds());
            seconds.add(round(b.seconds() - readings.getFirst().seconds()));
            cpu.add(round((b.cpuSeconds() - a.cpuSeconds()) / span));
            for (int g = 0; g < gpus.size(); g++) {
                gpus.get(g).add(round(rate(b.gpuBytes()[g] - a.gpuBytes()[g], span)));
            }
            for (int n = 0; n < nics.size(); n++) {
                nics.get(n).add(round(rate(b.nicBytes(n) - a.nicBytes(n), span)));
            }
        }
        List<Picture.Line> gpuLines = new ArrayList<>();
        for (int g = 0; g < gpus.size(); g++) {
            gpuLines.add(new Picture.Line("GPU " + links.get(g).gpu(), gpus.get(g)));
        }
        List<Picture.Line> nicLines = new ArrayList<>();
        for (int n = 0; n < nics.size(); n++) {
            nicLines.add(new Picture.Line(node.nics().get(n).name(), nics.get(n)));
        }
        return new Picture.TimelinePart(seconds, gpuLines, nicLines, cpu);
    }

    private static List<List<Double>> lists(int count) {
        List<List<Double>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(new ArrayList<>());
        }
        return all;
    }

    private static String direction(boolean sending) {
        return sending ? "send" : "receive";
    }

    private static double rate(long bytes, double seconds) {
        return seconds <= 0 ? 0 : bytes / seconds / 1e9;
    }

    /** To six digits after the point: more is noise, and a page holds ten thousand of them. */
    static double round(double value) {
        return Math.rint(value * 1e6) / 1e6;
    }
}
