package org.sluice.cli.watch;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Judges a finished run. */
final class Verdicts {
    /** How verdicts about a NIC's kernel counters are named, before the device. */
    static final String KERNEL = "kernel agrees on ";

    /** Of the NICs' speed, where nothing else is expected. UCCL's engine left 28 % of the line unused; more is asked for. */
    private static final double SHARE_OF_SPEED = 0.8;

    /** A NIC with a quarter less or more than its share is worth a look. */
    private static final double UNEVENNESS = 0.25;

    /** TCP lives with one segment in a hundred lost, not more. */
    private static final double RETRANSMIT_SHARE = 0.01;

    private final List<Verdict> all = new ArrayList<>();

    private Verdicts() {}

    /** What every run can be asked. */
    static List<Verdict> ofAnyRun(RunEnd end, List<Picture.NicPart> nics, List<NicAccount> accounts) {
        Verdicts v = new Verdicts();
        accounts.forEach(v::kernelAgrees);
        v.evenly(nics);
        v.noRetransmitStorm(nics);
        if (end.verifying()) {
            v.verified(end);
        }
        return List.copyOf(v.all);
    }

    /** What a run that is to show what a pair of machines can do is asked besides. */
    static List<Verdict> ofPerformance(
            Limits limits, RunEnd end, List<Picture.NicPart> nics, double movingCpuSeconds, long bytes) {
        Verdicts v = new Verdicts();
        v.bandwidth(limits, end, nics);
        v.cpu(limits, movingCpuSeconds, bytes);
        return List.copyOf(v.all);
    }

    private void judge(String name, boolean pass, String detail) {
        all.add(new Verdict(name, pass, detail));
    }

    private void kernelAgrees(NicAccount a) {
        judge(
                KERNEL + a.device(),
                a.agrees(),
                a.agrees()
                        ? String.format(
                                        Locale.ROOT,
                                        "sent %d B by the engine, %d by the kernel (%+.2f %%); received %d and %d (%+.2f %%)",
                                        a.leastSent(),
                                        a.kernelSentBytes(),
                                        100 * a.overheadSent(),
                                        a.leastReceived(),
                                        a.kernelReceivedBytes(),
                                        100 * a.overheadReceived())
                                + (a.smallerSegments().isEmpty() ? "" : "; " + a.smallerSegments())
                        : a.disagreement());
    }

    /** Fair is by speed where all NICs tell it, else all the same. */
    private void evenly(List<Picture.NicPart> nics) {
        if (nics.stream().allMatch(n -> n.share() == 0)) {
            return; // all of it was pulled out of memory
        }
        long speeds = nics.stream().mapToLong(Picture.NicPart::bitsPerSecond).sum();
        boolean known = nics.stream().allMatch(n -> n.bitsPerSecond() > 0);
        List<String> shares = new ArrayList<>();
        List<String> below = new ArrayList<>();
        List<String> above = new ArrayList<>();
        for (Picture.NicPart n : nics) {
            double fair = known ? (double) n.bitsPerSecond() / speeds : 1.0 / nics.size();
            String share = String.format(Locale.ROOT, "%s %.1f %%", n.nic(), 100 * n.share());
            shares.add(share);
            if (Math.abs(n.share() - fair) > UNEVENNESS * fair) {
                String off = n.share() == 0
                        ? n.nic() + " carried nothing"
                        : String.format(
                                Locale.ROOT,
                                "%s carried %.1f %% of the bytes, its fair share is %.1f %%",
                                n.nic(),
                                100 * n.share(),
                                100 * fair);
                (n.share() < fair ? below : above).add(off);
            }
        }
        // where one carries too little the others carry more: name the cause, not its consequence
        List<String> off = below.isEmpty() ? above : below;
        judge(
                "all NICs used evenly",
                off.isEmpty(),
                off.isEmpty()
                        ? String.join(", ", shares)
                        : String.join("; ", off)
                                + "; is the NIC up and as fast as the others, can the peer reach it, is it on the peer's"
                                + " --nics?");
    }

    private void noRetransmitStorm(List<Picture.NicPart> nics) {
        List<String> storms = new ArrayList<>();
        long again = 0;
        long sent = 0;
        for (Picture.NicPart n : nics) {
            again += n.segmentsRetransmitted();
            sent += n.segmentsSent();
            if (n.segmentsRetransmitted() > RETRANSMIT_SHARE * n.segmentsSent()) {
                storms.add(String.format(
                        Locale.ROOT,
                        "%s sent %d of %d segments again (%.2f %%)",
                        n.nic(),
                        n.segmentsRetransmitted(),
                        n.segmentsSent(),
                        100.0 * n.segmentsRetransmitted() / Math.max(1, n.segmentsSent())));
            }
        }
        judge(
                "no retransmit storm",
                storms.isEmpty(),
                storms.isEmpty()
                        ? String.format(Locale.ROOT, "%d of %d segments sent again", again, sent)
                        : String.join("; ", storms)
                                + String.format(
                                        Locale.ROOT,
                                        "; at most %.1f %% is usual: look for drops on the way, a wrong MTU, a full queue",
                                        100 * RETRANSMIT_SHARE));
    }

    private void verified(RunEnd end) {
        boolean pass = end.verifiedBytes() > 0 && end.mismatchedBytes() == 0;
        judge(
                "bytes verified",
                pass,
                pass
                        ? end.verifiedBytes() + " bytes compared, none wrong"
                        : end.verifiedBytes() == 0
                                ? "nothing was compared"
                                : end.mismatchedBytes() + " of " + end.verifiedBytes()
                                        + " bytes are wrong, the first at " + end.firstMismatch());
    }

    private void bandwidth(Limits limits, RunEnd end, List<Picture.NicPart> nics) {
        double speed = nics.stream().mapToLong(Picture.NicPart::bitsPerSecond).sum() / 8e9;
        boolean told = limits.expectedGbPerSecond() > 0;
        double wanted = told ? limits.expectedGbPerSecond() : SHARE_OF_SPEED * speed;
        if (wanted == 0) {
            judge("bandwidth", false, "the NICs do not tell their speed; say what is expected with --expect");
            return;
        }
        judge(
                "bandwidth",
                end.gbPerSecond() >= wanted,
                String.format(
                                Locale.ROOT,
                                told
                                        ? "%.3f GB/s of %.3f expected (--expect)"
                                        : "%.3f GB/s, at least %.3f is asked for",
                                end.gbPerSecond(),
                                wanted)
                        + (told
                                ? ""
                                : String.format(
                                        Locale.ROOT, ": %.0f %% of the NICs' %.3f GB/s", 100 * SHARE_OF_SPEED, speed)));
    }

    private void cpu(Limits limits, double movingCpuSeconds, long bytes) {
        double perGb = movingCpuSeconds / Math.max(1e-9, bytes / 1e9);
        judge(
                "CPU per GB",
                perGb <= limits.cpuSecondsPerGb(),
                String.format(
                        Locale.ROOT,
                        "%.3f CPU s per GB of this side's agents and I/O threads, at most %.3f is asked for",
                        perGb,
                        limits.cpuSecondsPerGb()));
    }
}
