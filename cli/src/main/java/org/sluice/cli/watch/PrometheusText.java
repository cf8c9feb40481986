package org.sluice.cli.watch;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
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
import org.sluice.spi.ConnectionFacts;

/** What is counted, in Prometheus' text format: base units, counters since the link was made or, the kernel's, since boot. */
final class PrometheusText {
    /** Upper ends of the buckets of chunk latencies, seconds. */
    private static final double[] BOUNDS = {
        0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 10
    };

    private final Node node;
    private final List<Link> links;

    PrometheusText(Node node, List<Link> links) {
        this.node = node;
        this.links = List.copyOf(links);
    }

    String text() {
        Families f = new Families();
        for (Link link : links) {
            LinkStats s = link.stats();
            String gpu = "gpu=\"" + s.gpu() + "\"";
            String done = "Transfers that ended, by outcome.";
            f.counter(
                    "sluice_transfers_total",
                    done,
                    gpu + ",outcome=\"done\"",
                    s.transfers().done());
            f.counter(
                    "sluice_transfers_total",
                    done,
                    gpu + ",outcome=\"failed\"",
                    s.transfers().failed());
            f.counter(
                    "sluice_transfer_bytes_total",
                    "Bytes of transfers that are done.",
                    gpu,
                    s.transfers().bytes());
            s.channels().forEach(c -> channel(f, gpu, c));
        }
        latencies(f);
        kernel(f);
        connections(f);
        f.counter(
                "sluice_process_cpu_seconds_total", "CPU time of this process, user and system.", "", ProcessCpu.all());
        return f.text();
    }

    private static void channel(Families f, String gpu, ChannelStats c) {
        String labels = gpu + ",channel=\"" + c.index() + "\",direction=\"" + direction(c.sending()) + "\",nic=\""
                + escaped(c.nic()) + "\",peer_nic=\"" + escaped(c.peerNic()) + "\"";
        f.counter("sluice_channel_bytes_total", "Payload sent, or landed.", labels, c.bytes());
        f.counter("sluice_channel_chunks_total", "Chunks sent, or landed.", labels, c.chunks());
        f.counter("sluice_channel_damaged_chunks_total", "Chunks whose checksum was wrong.", labels, c.damaged());
        f.counter("sluice_channel_retried_chunks_total", "Chunks taken back from a lost channel.", labels, c.retried());
        ChannelTimes t = c.times();
        String states = "Time that a channel spent in each state; states exclude each other.";
        state(f, states, labels, "idle", t.idleNanos());
        state(f, states, labels, "no_grant", t.noGrantNanos());
        state(f, states, labels, "no_slot", t.noSlotNanos());
        state(f, states, labels, "socket", t.socketNanos());
        state(f, states, labels, "staging", t.stagingNanos());
        f.gauge("sluice_channel_in_flight_chunks", "Chunks in flight.", labels, t.inFlight());
        f.gauge("sluice_channel_window_chunks", "Chunks that may be in flight.", labels, t.window());
    }

    private static void state(Families f, String help, String labels, String state, long nanos) {
        f.counter("sluice_channel_state_seconds_total", help, labels + ",state=\"" + state + "\"", nanos / 1e9);
    }

    private void latencies(Families f) {
        record Key(String direction, String nic) {}
        Map<Key, Latencies> all = new LinkedHashMap<>();
        for (Link link : links) {
            for (ChannelStats c : link.channels()) {
                all.merge(new Key(direction(c.sending()), c.nic()), c.times().latency(), Latencies::plus);
            }
        }
        all.forEach((key, l) -> f.histogram(
                "sluice_chunk_latency_seconds",
                "Time that chunks were in flight.",
                "direction=\"" + key.direction + "\",nic=\"" + escaped(key.nic) + "\"",
                l));
    }

    private void kernel(Families f) {
        Map<String, NetCounters> counters = Kernel.now();
        TreeSet<String> devices = new TreeSet<>();
        for (NicInfo nic : node.nics()) {
            if (nic.kernelDevice() != null) {
                devices.add(nic.kernelDevice());
            }
        }
        for (String device : devices) {
            NetCounters c = counters.get(device);
            if (c == null) {
                continue;
            }
            String d = "device=\"" + escaped(device) + "\"";
            f.counter("sluice_kernel_transmit_bytes_total", "Bytes that the kernel sent on a NIC.", d, c.txBytes());
            f.counter("sluice_kernel_receive_bytes_total", "Bytes that the kernel received on a NIC.", d, c.rxBytes());
            f.counter("sluice_kernel_transmit_packets_total", "Packets that the kernel sent.", d, c.txPackets());
            f.counter("sluice_kernel_receive_packets_total", "Packets that the kernel received.", d, c.rxPackets());
            f.counter("sluice_kernel_transmit_drops_total", "Packets dropped on sending.", d, c.txDrops());
            f.counter("sluice_kernel_receive_drops_total", "Packets dropped on receiving.", d, c.rxDrops());
            f.counter("sluice_kernel_transmit_errors_total", "Errors on sending.", d, c.txErrors());
            f.counter("sluice_kernel_receive_errors_total", "Errors on receiving.", d, c.rxErrors());
        }
    }

    private void connections(Families f) {
        for (Link link : links) {
            try {
                for (ChannelConnections c : link.connections()) {
                    for (int i = 0; i < c.connections().size(); i++) {
                        connection(f, c, i);
                    }
                }
            } catch (SluiceException | IllegalStateException e) {
                // it is ending: the kernel has nothing to say any more
            }
        }
    }

    private static void connection(Families f, ChannelConnections c, int i) {
        ConnectionFacts facts = c.connections().get(i);
        String labels = "gpu=\"" + c.gpu() + "\",channel=\"" + c.index() + "\",direction=\"" + direction(c.sending())
                + "\",nic=\"" + escaped(c.nic()) + "\",connection=\"" + i + "\"";
        f.gauge(
                "sluice_connection_rtt_seconds",
                "Smoothed round trip.",
                labels,
                facts.value(ConnectionFacts.RTT_MICROS) / 1e6);
        f.gauge(
                "sluice_connection_congestion_window_bytes",
                "What may be under way.",
                labels,
                facts.value(ConnectionFacts.CONGESTION_WINDOW));
        f.gauge(
                "sluice_connection_delivery_bytes_per_second",
                "Rate at which bytes lately reached the peer.",
                labels,
                facts.value(ConnectionFacts.DELIVERY_RATE));
        f.counter(
                "sluice_connection_retransmitted_segments_total",
                "Segments sent again.",
                labels,
                facts.value(ConnectionFacts.SEGMENTS_RETRANSMITTED));
    }

    private static String direction(boolean sending) {
        return sending ? "send" : "receive";
    }

    private static String escaped(String label) {
        return label.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }

    /** Metrics by name, in the order in which they came first: the format wants all samples of one together. */
    private static final class Families {
        private final Map<String, StringBuilder> families = new LinkedHashMap<>();

        void counter(String name, String help, String labels, Number value) {
            sample(name, "counter", help, name, labels, value);
        }

        void gauge(String name, String help, String labels, Number value) {
            sample(name, "gauge", help, name, labels, value);
        }

        void histogram(String name, String help, String labels, Latencies l) {
            for (double bound : BOUNDS) {
                sample(
                        name,
                        "histogram",
                        help,
                        name + "_bucket",
                        labels + ",le=\"" + number(bound) + "\"",
                        l.atMost(Math.round(bound * 1e9)));
            }
            sample(name, "histogram", help, name + "_bucket", labels + ",le=\"+Inf\"", l.count());
            sample(name, "histogram", help, name + "_sum", labels, l.sum() / 1e9);
            sample(name, "histogram", help, name + "_count", labels, l.count());
        }

        private void sample(String family, String type, String help, String name, String labels, Number value) {
            families.computeIfAbsent(
                            family,
                            f -> new StringBuilder()
                                    .append("# HELP ")
                                    .append(f)
                                    .append(' ')
                                    .append(help)
                                    .append("\n# TYPE ")
                                    .append(f)
                                    .append(' ')
                                    .append(type)
                                    .append('\n'))
                    .append(name)
                    .append(labels.isEmpty() ? "" : "{" + labels + "}")
                    .append(' ')
                    .append(number(value))
                    .append('\n');
        }

        private static String number(Number value) {
            return value instanceof Double d && d != Math.rint(d)
                    ? String.format(Locale.ROOT, "%.9g", d)
                    : Long.toString(value.longValue());
        }

        String text() {
            return String.join("", families.values());
        }
    }
}
