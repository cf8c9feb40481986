package org.sluice.cli.bench;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A benchmark's result; with {@code --json} it is the document.
 *
 * @param best what {@code --tune} found; null without
 */
record BenchReport(
        String peer,
        int underWay,
        List<BenchPoint> points,
        @Nullable BenchSetting best) {
    long wrong() {
        return points.stream().mapToLong(BenchPoint::wrong).sum();
    }

    /** An aligned table, and the best setting as options. */
    String text() {
        StringBuilder out = new StringBuilder(String.format(
                Locale.ROOT,
                "# peer %s, %d transfer%s under way; times in us, bandwidths in GB/s (10^9 bytes)%n",
                peer,
                underWay,
                underWay == 1 ? "" : "s"));
        out.append(String.format(
                "%12s %8s %9s %6s %8s %11s %7s %7s %11s %11s %11s %9s %9s %7s%n",
                "size",
                "channels",
                "chunk",
                "window",
                "count",
                "time",
                "algbw",
                "busbw",
                "p50",
                "p99",
                "p99.9",
                "begin p50",
                "p99",
                "#wrong"));
        for (BenchPoint p : points) {
            out.append(String.format(
                    Locale.ROOT,
                    "%12d %8d %9d %6d %8d %11.1f %7.2f %7.2f %11.1f %11.1f %11.1f %9.1f %9.1f %7d%n",
                    p.size(),
                    p.channels(),
                    p.chunk(),
                    p.window(),
                    p.count(),
                    p.micros(),
                    p.algbw(),
                    p.busbw(),
                    p.p50(),
                    p.p99(),
                    p.p999(),
                    p.beginP50(),
                    p.beginP99(),
                    p.wrong()));
        }
        if (best != null) {
            out.append("best for this pair: ").append(best.options()).append('\n');
        }
        return out.toString();
    }
}
