package org.sluice.cli.watch;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The final figures as comma-separated values: the whole run, each GPU, each NIC, each channel, a line each. */
final class CsvText {
    private static final List<String> COLUMNS = List.of(
            "kind",
            "gpu",
            "channel",
            "direction",
            "nic",
            "peer_nic",
            "bytes",
            "chunks",
            "seconds",
            "gb_per_second",
            "share",
            "kernel_tx_bytes",
            "kernel_rx_bytes",
            "segments_retransmitted",
            "rtt_us",
            "p50_us",
            "p99_us",
            "p999_us",
            "max_us",
            "occupancy",
            "idle_s",
            "no_grant_s",
            "no_slot_s",
            "socket_s",
            "staging_s");

    private CsvText() {}

    static String of(Picture p) {
        StringBuilder out = new StringBuilder(String.join(",", COLUMNS)).append('\n');
        line(out, "run", "", "", "", "", "", p.bytes(), "", p.seconds(), p.gbPerSecond(), 1);
        for (Picture.GpuPart g : p.gpus()) {
            line(out, "gpu", g.gpu(), "", "", "", "", g.bytes(), "", p.seconds(), g.gbPerSecond(), "");
        }
        for (Picture.NicPart n : p.nics()) {
            line(
                    out,
                    "nic",
                    "",
                    "",
                    "",
                    n.nic(),
                    "",
                    n.sentBytes() + n.receivedBytes(),
                    "",
                    p.seconds(),
                    n.gbPerSecond(),
                    n.share(),
                    n.kernelSentBytes() == null ? "" : n.kernelSentBytes(),
                    n.kernelReceivedBytes() == null ? "" : n.kernelReceivedBytes(),
                    n.segmentsRetransmitted(),
                    n.rttMicros());
        }
        for (Picture.ChannelPart c : p.channels()) {
            line(
                    out,
                    "channel",
                    c.gpu(),
                    c.channel(),
                    c.direction(),
                    c.nic(),
                    c.peerNic(),
                    c.bytes(),
                    c.chunks(),
                    p.seconds(),
                    p.seconds() == 0 ? 0 : c.bytes() / p.seconds() / 1e9,
                    c.share(),
                    "",
                    "",
                    c.segmentsRetransmitted(),
                    c.rttMicros(),
                    c.p50Micros(),
                    c.p99Micros(),
                    c.p999Micros(),
                    c.maxMicros(),
                    c.occupancy(),
                    c.state().idle(),
                    c.state().noGrant(),
                    c.state().noSlot(),
                    c.state().socket(),
                    c.state().staging());
        }
        return out.toString();
    }

    /** What is not given at the end is empty. */
    private static void line(StringBuilder out, Object... values) {
        out.append(Stream.concat(Stream.of(values), Stream.generate(() -> (Object) ""))
                        .limit(COLUMNS.size())
                        .map(CsvText::text)
                        .collect(Collectors.joining(",")))
                .append('\n');
    }

    private static String text(Object value) {
        return switch (value) {
            case Double d -> String.format(Locale.ROOT, "%.6f", d);
            case String s when s.matches(".*[,\"\\n\\r].*") -> "\"" + s.replace("\"", "\"\"") + "\"";
            default -> value.toString();
        };
    }
}
