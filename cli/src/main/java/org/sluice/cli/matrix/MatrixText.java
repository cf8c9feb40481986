package org.sluice.cli.matrix;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.sluice.cli.common.Bytes;
import org.sluice.cli.common.ExitCode;

/** The result for a terminal: a table, what stands out, a verdict. */
final class MatrixText {
    /** A table of more nodes fits no terminal. */
    private static final int MOST_NODES = 24;

    private static final int MOST_FINDINGS = 40;

    private MatrixText() {}

    /** What the command exits with, on every rank. */
    static int status(MatrixReport r) {
        return r.bytesWrong() > 0 ? ExitCode.MISMATCH : r.pass() ? ExitCode.OK : ExitCode.INVALID;
    }

    /** The last line. */
    static String verdict(MatrixReport r) {
        if (r.bytesWrong() > 0) {
            return "NOT VALID: " + r.bytesWrong() + " bytes are wrong";
        }
        String below = r.belowExpected() == 0
                ? ""
                : r.belowExpected() + " of " + r.ways().size() + " directions are below the expected "
                        + rate(r.expectedGbPerSecond() == null ? 0 : r.expectedGbPerSecond(), unit(r)) + " " + unit(r);
        String found = switch (r.findings().size()) {
            case 0 -> "";
            case 1 -> "one thing stands out: " + r.findings().getFirst().text();
            default -> r.findings().size() + " things stand out";
        };
        return r.pass()
                ? "valid: nothing stands out, " + Bytes.text(r.bytesVerified()) + " compared"
                : "NOT VALID: " + found + (found.isEmpty() || below.isEmpty() ? "" : "; ") + below;
    }

    static String of(MatrixReport r) {
        StringBuilder out = new StringBuilder();
        line(
                out,
                String.format(
                        Locale.ROOT,
                        "# %d nodes, %s, %s each way in %d rounds%s; %s from row to column",
                        r.nodes(),
                        r.memory() + (r.gpus() > 1 ? " of " + r.gpus() + " GPUs" : ""),
                        seconds(r.secondsEach()),
                        r.rounds(),
                        r.roundsAgain() > 0 ? " and " + r.roundsAgain() + " again" : "",
                        unit(r).equals("GB/s") ? "GB/s (10^9 bytes)" : "MB/s (10^6 bytes)"));
        if (r.nodes() <= MOST_NODES) {
            table(out, r);
        } else {
            line(
                    out,
                    String.format(
                            Locale.ROOT,
                            "(%d nodes are too many for a table here: --html FILE draws it, --csv FILE has every figure)",
                            r.nodes()));
        }
        String unit = unit(r);
        line(
                out,
                String.format(
                        Locale.ROOT,
                        "rate: median %s, %s to %s %s",
                        rate(r.rate().median(), unit),
                        rate(r.rate().least(), unit),
                        rate(r.rate().most(), unit),
                        unit));
        line(
                out,
                String.format(
                        Locale.ROOT,
                        "latency of 8 bytes: median %.0f us, %.0f to %.0f us",
                        r.latencyMicros().median(),
                        r.latencyMicros().least(),
                        r.latencyMicros().most()));
        MatrixReport.Load load = r.underLoad();
        if (load != null) {
            MatrixReport.Spread sends = MatrixReport.Spread.of(load.nodes().stream()
                    .mapToDouble(MatrixReport.NodeLoad::sendsGbPerSecond)
                    .toArray());
            line(
                    out,
                    String.format(
                            Locale.ROOT,
                            "all pairs at once: %s %s in all; a node sends %s in the median, %s to %s",
                            rate(load.gbPerSecond(), unit),
                            unit,
                            rate(sends.median(), unit),
                            rate(sends.least(), unit),
                            rate(sends.most(), unit)));
        }
        r.findings().stream()
                .limit(MOST_FINDINGS)
                .forEach(f -> line(out, String.format(Locale.ROOT, "- %s", f.text())));
        if (r.findings().size() > MOST_FINDINGS) {
            line(out, String.format(Locale.ROOT, "- and %d more", r.findings().size() - MOST_FINDINGS));
        }
        line(
                out,
                String.format(
                        Locale.ROOT,
                        "%s",
                        r.findings().size() == 1
                                ? verdict(r).replaceFirst(": one thing stands out: .*", ": one thing stands out")
                                : verdict(r)));
        return out.toString();
    }

    private static void table(StringBuilder out, MatrixReport r) {
        Map<Integer, Way> ways = new HashMap<>();
        r.ways().forEach(w -> ways.put(w.from() * r.nodes() + w.to(), w));
        int name = Math.min(
                20, r.members().stream().mapToInt(m -> m.name().length()).max().orElse(0));
        out.append(" ".repeat(name + 4));
        for (int to = 0; to < r.nodes(); to++) {
            out.append(String.format(Locale.ROOT, "%6d", to));
        }
        out.append('\n');
        for (int from = 0; from < r.nodes(); from++) {
            String who = r.members().get(from).name();
            out.append(String.format(
                    Locale.ROOT,
                    "%3d %-" + Math.max(1, name) + "s",
                    from,
                    who.length() > name ? who.substring(0, name) : who));
            for (int to = 0; to < r.nodes(); to++) {
                Way w = ways.get(from * r.nodes() + to);
                String cell =
                        from == to ? "-" : w == null || !w.failure().isEmpty() ? "?" : rate(w.gbPerSecond(), unit(r));
                out.append(String.format(Locale.ROOT, "%6s", cell));
            }
            out.append('\n');
        }
    }

    private static String unit(MatrixReport r) {
        return r.rate().median() >= 1 ? "GB/s" : "MB/s";
    }

    private static String rate(double gbPerSecond, String unit) {
        double v = unit.equals("GB/s") ? gbPerSecond : gbPerSecond * 1e3;
        return String.format(Locale.ROOT, v >= 100 ? "%.0f" : v >= 10 ? "%.1f" : "%.2f", v);
    }

    private static String seconds(double s) {
        return s >= 1
                ? String.format(Locale.ROOT, s == Math.rint(s) ? "%.0f s" : "%.1f s", s)
                : String.format(Locale.ROOT, "%.0f ms", s * 1e3);
    }

    private static void line(StringBuilder out, String text) {
        out.append(text).append('\n');
    }
}
