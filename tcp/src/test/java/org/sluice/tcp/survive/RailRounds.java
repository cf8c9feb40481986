package org.sluice.tcp.survive;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.sluice.testkit.Namespaces;
import org.sluice.testkit.Namespaces.Host;

/**
 * The measured run of rails that fail and return: two hosts joined by four shaped NICs, messages sent and verified one after the
 * other, and in each round one NIC taken down (in turn: at the receiver, at the sender, every packet dropped in silence), held
 * down and brought back. {@code RailRounds [rounds] [rate of a NIC]}. Prints a line a round and a verdict. The rate must be one
 * at which the NICs are the bound and not the CPUs, which fill and compare every byte: the first column of rates tells.
 */
public final class RailRounds {
    private static final int NICS = 4;
    private static final long SECOND = 1_000_000_000L;

    private RailRounds() {}

    public static void main(String[] args) throws Exception {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 20;
        String rate = args.length > 1 ? args[1] : "400mbit";
        long bytes = 64L << 20;
        int bad = 0;
        List<Double> gaps = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        List<Double> returns = new ArrayList<>();
        try (Namespaces hosts = Namespaces.up("rail", NICS, rate);
                Side receiver = side(hosts, Host.A, "receive", bytes, "")) {
            receiver.await(0, l -> l.equals("BOUND"), 60);
            try (Side sender = side(hosts, Host.B, "send", bytes, Host.A.address(0))) {
                sender.await(0, l -> l.equals("READY"), 60);
                Thread.sleep(3000); // until compilers and windows have settled
                System.out.printf(
                        "%d NICs of %s, %d processors%n",
                        NICS, rate, Runtime.getRuntime().availableProcessors());
                System.out.println(
                        "round fault                  NIC  longest gap ms  rate of 4 before GB/s  of the other 3"
                                + "  with it away  ratio  all 4 back after ms");
                for (int round = 0; round < rounds; round++) {
                    RailFault fault = RailFault.of(round);
                    int nic = 1 + round % NICS;
                    long steady = System.nanoTime();
                    Thread.sleep(1500);
                    long down = System.nanoTime();
                    fault.begin(hosts, nic);
                    Thread.sleep(2500);
                    long up = System.nanoTime();
                    fault.end(hosts, nic);
                    Thread.sleep(2700);
                    Samples s = Samples.of(receiver.lines());
                    double three = 0;
                    for (int rail = 0; rail < NICS; rail++) {
                        three += rail == nic - 1 ? 0 : s.rate(steady, down, rail, NICS);
                    }
                    double gap = s.longestGap(down, System.nanoTime());
                    // from when the loss is noticed: until then three rails work and the fourth holds its chunks
                    double away = s.rate(down + SECOND / 2, up);
                    double back = s.untilLoaded(up, nic - 1, NICS, s.rate(steady, down, nic - 1, NICS) * 0.8);
                    boolean good = gap <= 1000 && away >= 0.95 * three && back >= 0 && back <= 2000;
                    bad += good ? 0 : 1;
                    gaps.add(gap);
                    ratios.add(away / three);
                    returns.add(back);
                    System.out.printf(
                            Locale.ROOT,
                            "%5d %-22s eth%d  %14.0f  %21.4f  %14.4f  %12.4f  %5.3f  %19.0f%s%n",
                            round + 1,
                            fault.text,
                            nic,
                            gap,
                            s.rate(steady, down),
                            three,
                            away,
                            away / three,
                            back,
                            good ? "" : "  <--");
                    if (!good) {
                        System.out.print(course(s, down, up));
                    }
                }
                List<String> said = receiver.lines();
                long verified = said.stream().filter(l -> l.startsWith("V ")).count();
                long wrong = said.stream().filter(l -> l.startsWith("W ")).count();
                boolean ended = said.stream().anyMatch(l -> l.startsWith("E "));
                System.out.printf(
                        Locale.ROOT,
                        "%d rounds, %d not as wanted; %d messages of %d MiB verified, %d wrong%s%n"
                                + "longest gap: median %.0f, worst %.0f ms; ratio: median %.3f, worst %.3f; back after: median"
                                + " %.0f, worst %.0f ms%n",
                        rounds,
                        bad,
                        verified,
                        bytes >> 20,
                        wrong,
                        ended ? ", AND THE LINK ENDED" : "",
                        median(gaps),
                        worst(gaps, true),
                        median(ratios),
                        worst(ratios, false),
                        median(returns),
                        worst(returns, true));
                if (bad > 0 || wrong > 0 || ended || verified == 0) {
                    System.exit(1);
                }
            }
        }
    }

    /** What each rail landed in each 100 ms from the fault to half a second after its end, of a round that was not as wanted. */
    private static String course(Samples s, long down, long up) {
        StringBuilder text = new StringBuilder();
        for (int rail = 0; rail < NICS; rail++) {
            text.append("      eth").append(rail + 1).append(", MB in each 100 ms:");
            for (long t = down; t < up + SECOND / 2; t += SECOND / 10) {
                text.append(String.format(Locale.ROOT, " %.1f", s.rate(t, t + SECOND / 10, rail, NICS) * 100));
            }
            text.append(System.lineSeparator());
        }
        return text.toString();
    }

    private static Side side(Namespaces hosts, Host host, String what, long bytes, String peer) throws Exception {
        return new Side(
                what,
                hosts.command(host, List.of()),
                List.of(what, hosts.nics(), "20000", Long.toString(bytes), "deadline=30000", peer));
    }

    private static double median(List<Double> of) {
        double[] sorted = of.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    private static double worst(List<Double> of, boolean high) {
        double[] sorted = of.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return Arrays.stream(sorted).anyMatch(d -> d < 0) ? -1 : high ? sorted[sorted.length - 1] : sorted[0];
    }
}
