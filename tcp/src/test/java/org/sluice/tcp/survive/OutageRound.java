package org.sluice.tcp.survive;

import java.util.List;
import org.sluice.testkit.Namespaces;
import org.sluice.testkit.Namespaces.Host;

/** The measured run of a link that loses all its rails: for three seconds, and then for good. */
public final class OutageRound {
    private static final int NICS = 4;
    private static final int DEADLINE_SECONDS = 8;

    private OutageRound() {}

    public static void main(String[] args) throws Exception {
        try (Namespaces hosts = Namespaces.up("outage", NICS, "1gbit");
                Side receiver = side(hosts, Host.A, "receive", "")) {
            receiver.await(0, l -> l.equals("BOUND"), 60);
            try (Side sender = side(hosts, Host.B, "send", Host.A.address(0))) {
                sender.await(0, l -> l.equals("READY"), 60);
                Thread.sleep(2000);
                for (int i = 1; i <= NICS; i++) {
                    hosts.setDown(Host.A, i);
                }
                Thread.sleep(3000);
                for (int i = 1; i <= NICS; i++) {
                    hosts.setUp(Host.A, i);
                }
                long up = System.nanoTime();
                receiver.awaitVerified(2, 20);
                System.out.printf(
                        "all down for 3 s: two more messages verified %d ms after the return%n",
                        (System.nanoTime() - up) / 1_000_000);
                for (int i = 1; i <= NICS; i++) {
                    hosts.setDown(Host.A, i);
                }
                long down = System.nanoTime();
                for (Side side : List.of(receiver, sender)) {
                    String report = side.await(0, l -> l.startsWith("E "), DEADLINE_SECONDS + 5);
                    System.out.println("all down for good, deadline " + DEADLINE_SECONDS + " s: reported after "
                            + (Long.parseLong(report.split(" ", 3)[1]) - down) / 1_000_000 + " ms: "
                            + report.split(" ", 3)[2]);
                }
                if (receiver.lines().stream().anyMatch(l -> l.startsWith("W "))) {
                    System.out.println("WRONG BYTES");
                    System.exit(1);
                }
            }
        }
    }

    private static Side side(Namespaces hosts, Host host, String what, String peer) throws Exception {
        return new Side(
                what,
                hosts.command(host, List.of()),
                List.of(
                        what,
                        hosts.nics(),
                        "20000",
                        Long.toString(64L << 20),
                        "deadline=" + DEADLINE_SECONDS * 1000,
                        peer));
    }
}
