package org.sluice.tcp.survive;

import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;
import org.sluice.testkit.Namespaces;
import org.sluice.testkit.Namespaces.Host;

/**
 * The measured run of the NIC of a control connection that goes away in mid-transfer and stays away, while four others carry the data: in
 * each round a link of its own, in turn taken down at the receiver, at the sender, or every packet dropped in silence. {@code
 * ControlRounds [rounds] [rate of a NIC]}. Chunks are landed by grants, which go over the control connection, so that the longest time in
 * which nothing landed is what the move takes.
 */
public final class ControlRounds {
    private static final int NICS = 4;
    private static final int PATIENCE_SECONDS = 60;
    private static final int MESSAGES = 10;
    private static final double MOST_GAP_MILLIS = 1000;

    private ControlRounds() {}

    /** @param good whether all went as wanted @param gap longest time without a chunk, ms */
    record Round(boolean good, double gap) {}

    public static void main(String[] args) throws Exception {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 20;
        String rate = args.length > 1 ? args[1] : "200mbit";
        double[] gaps = new double[rounds];
        int bad = 0;
        try (Namespaces hosts = Namespaces.up("ctl", NICS, rate)) {
            for (int n = 0; n < rounds; n++) {
                RailFault fault = RailFault.of(n);
                Round round = round(hosts, fault);
                gaps[n] = round.gap;
                bad += round.good && round.gap <= MOST_GAP_MILLIS ? 0 : 1;
                System.out.printf(
                        Locale.ROOT,
                        "round %2d, %-20s: %s, longest time without a chunk %.0f ms%n",
                        n + 1,
                        fault.text,
                        round.good ? "all verified" : "NOT AS WANTED",
                        round.gap);
            }
        }
        double[] sorted = DoubleStream.of(gaps).sorted().toArray();
        System.out.printf(
                Locale.ROOT,
                "%d rounds of %d NICs of %s, %d not as wanted; longest time without a chunk: median %.0f, worst %.0f ms%n",
                rounds,
                NICS,
                rate,
                bad,
                sorted[rounds / 2],
                sorted[rounds - 1]);
        System.exit(bad == 0 ? 0 : 1);
    }

    /** A link whose control connection goes over eth0, which carries no data, until that NIC goes. */
    static Round round(Namespaces hosts, RailFault fault) throws Exception {
        try (Side receiver = side(hosts, Host.A, "receive", "")) {
            receiver.await(0, l -> l.equals("BOUND"), PATIENCE_SECONDS);
            try (Side sender = side(hosts, Host.B, "send", Host.A.address(0))) {
                sender.await(0, l -> l.equals("READY"), PATIENCE_SECONDS);
                receiver.awaitVerified(2, PATIENCE_SECONDS);
                long cut = System.nanoTime();
                fault.begin(hosts, 0);
                try {
                    receiver.awaitVerified(MESSAGES, PATIENCE_SECONDS);
                } finally {
                    fault.end(hosts, 0);
                }
                List<String> said = receiver.lines();
                boolean good = said.stream().noneMatch(l -> l.startsWith("W ") || l.startsWith("E "))
                        && sender.lines().stream().noneMatch(l -> l.startsWith("E "));
                return new Round(good, Samples.of(said).longestGap(cut, System.nanoTime()));
            }
        }
    }

    private static Side side(Namespaces hosts, Host host, String what, String peer) throws Exception {
        return new Side(
                what,
                hosts.command(host, List.of()),
                List.of(what, hosts.nics(), "20000", Long.toString(32L << 20), "chunk=131072", peer));
    }
}
