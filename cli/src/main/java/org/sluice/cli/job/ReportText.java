package org.sluice.cli.job;

import java.util.Formatter;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.sluice.cli.common.Bytes;
import org.sluice.cli.run.Report;

/** The report as people read it: a table per GPU, a table per NIC, and a verdict. */
final class ReportText {
    private ReportText() {}

    static String of(Report r) {
        Formatter out = new Formatter(Locale.ROOT);
        out.format(
                "%d %s GPUs x %d channels over %d NICs\n%s striping, transport %s, peer %s\n",
                r.gpus(), r.backend(), r.channelsPerGpu(), r.perNic().size(), r.striping(), r.transport(), r.peer());
        out.format(
                "%d iterations of %s per GPU%s, chunks of %s; READY after %d ms\n\n",
                r.iterations(),
                Bytes.text(r.sizeBytes()),
                r.bidirectional() ? " and direction" : "",
                Bytes.text(r.chunkBytes()),
                r.readyMillis());
        out.format("%-10s %14s %10s %10s\n", "GPU", "bytes", "seconds", "GB/s");
        for (Report.PerGpu g : r.perGpu()) {
            out.format("%-10d %14d %10.3f %10.3f\n", g.gpu(), g.bytes(), g.seconds(), g.gbPerSecond());
        }
        out.format("%-10s %14d %10.3f %10.3f\n\n", "all", r.bytes(), r.seconds(), r.gbPerSecond());
        out.format("%-10s %14s %8s  %-10s %14s %14s\n", "NIC", "bytes", "share", "device", "kernel tx", "kernel rx");
        for (Report.PerNic n : r.perNic()) {
            out.format(
                    "%-10s %14d %7.1f%%  %-10s %14s %14s\n",
                    n.nic(),
                    n.bytes(),
                    r.bytes() == 0 ? 0.0 : 100.0 * n.bytes() / r.bytes(),
                    orDash(n.kernelDevice()),
                    orDash(n.kernelTxBytes()),
                    orDash(n.kernelRxBytes()));
        }
        pulled(r)
                .forEach((transport, bytes) -> out.format(
                        "%-10s %14d %7.1f%%  %-10s %14s %14s\n",
                        transport, bytes, r.bytes() == 0 ? 0.0 : 100.0 * bytes / r.bytes(), "memory", "-", "-"));
        return out.format("\n%s\n%s%s%s\n", r.path().text(), unused(r), proof(r), verdict(r))
                .toString();
    }

    /** What went over no NIC, by transport. */
    private static Map<String, Long> pulled(Report r) {
        return r.perChannel().stream()
                .filter(c -> r.perNic().stream().noneMatch(n -> n.nic().equals(c.nic())))
                .collect(Collectors.groupingBy(
                        Report.PerChannel::nic, TreeMap::new, Collectors.summingLong(Report.PerChannel::bytes)));
    }

    /** NICs of the job that were there and carried nothing. */
    private static String unused(Report r) {
        return r.nicsLeftOut().stream()
                .filter(l -> r.perNic().stream().anyMatch(n -> n.nic().equals(l.nic())))
                .map(l -> "LEFT OUT: " + l.nic() + " " + l.reason() + "\n")
                .collect(Collectors.joining());
    }

    /** Whose carrying the kernel confirms; who disagrees has been said loudly. */
    private static String proof(Report r) {
        String agreeing = r.perNic().stream()
                .filter(n -> n.bytes() > 0 && Boolean.TRUE.equals(n.kernelAgrees()))
                .map(Report.PerNic::nic)
                .collect(Collectors.joining(", "));
        return agreeing.isEmpty() ? "" : "PROOF: the kernel's counters bear out what " + agreeing + " carried\n";
    }

    private static String orDash(@Nullable Object value) {
        return value == null ? "-" : value.toString();
    }

    private static String verdict(Report r) {
        String moved = String.format(
                Locale.ROOT,
                "%s in %.3f s, %.3f GB/s (10^9 bytes/s)",
                Bytes.text(r.bytes()),
                r.seconds(),
                r.gbPerSecond());
        if (!r.verify()) {
            return "DONE: " + moved + "; not verified";
        }
        return r.mismatchedBytes() == 0
                ? "OK: " + moved + "; " + r.verifiedBytes() + " bytes compared, none wrong"
                : "WRONG BYTES: " + r.mismatchedBytes() + " of " + r.verifiedBytes() + " compared, the first at "
                        + r.firstMismatch();
    }
}
