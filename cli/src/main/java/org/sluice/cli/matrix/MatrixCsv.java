package org.sluice.cli.matrix;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Every figure as comma-separated values: a line for each direction of each pair, one for each of its rails, and the same under load. */
final class MatrixCsv {
    private static final List<String> COLUMNS = List.of(
            "kind",
            "from",
            "to",
            "from_name",
            "to_name",
            "nic",
            "peer_nic",
            "gb_per_second",
            "p50_us",
            "p99_us",
            "segments",
            "segments_retransmitted",
            "bytes_verified",
            "bytes_wrong",
            "failure");

    private MatrixCsv() {}

    static String of(MatrixReport r) {
        StringBuilder out = new StringBuilder(String.join(",", COLUMNS)).append('\n');
        ways(out, r, "way", "rail", r.ways());
        MatrixReport.Load load = r.underLoad();
        if (load != null) {
            ways(out, r, "way-under-load", "rail-under-load", load.ways());
        }
        return out.toString();
    }

    private static void ways(StringBuilder out, MatrixReport r, String wayKind, String railKind, List<Way> ways) {
        for (Way w : ways) {
            String from = r.members().get(w.from()).name();
            String to = r.members().get(w.to()).name();
            long segments = w.rails().stream().mapToLong(Rail::segments).sum();
            long again = w.rails().stream().mapToLong(Rail::retransmitted).sum();
            line(
                    out,
                    wayKind,
                    w.from(),
                    w.to(),
                    from,
                    to,
                    "",
                    "",
                    w.gbPerSecond(),
                    w.p50Micros(),
                    w.p99Micros(),
                    segments,
                    again,
                    w.verified(),
                    w.wrong(),
                    w.failure());
            for (Rail x : w.rails()) {
                line(
                        out,
                        railKind,
                        w.from(),
                        w.to(),
                        from,
                        to,
                        x.nic(),
                        x.peerNic(),
                        x.gbPerSecond(),
                        "",
                        "",
                        x.segments(),
                        x.retransmitted(),
                        "",
                        "",
                        "");
            }
        }
    }

    private static void line(StringBuilder out, Object... values) {
        out.append(Stream.of(values).map(MatrixCsv::text).collect(Collectors.joining(",")))
                .append('\n');
    }

    private static String text(Object value) {
        return switch (value) {
            case Double d -> String.format(Locale.ROOT, "%.6f", d);
            case String s when s.matches("(?s).*[,\"\\n\\r].*") -> "\"" + s.replace("\"", "\"\"") + "\"";
            default -> value.toString();
        };
    }
}
