package org.sluice.tcp.survive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sluice.testkit.Namespaces;
import org.sluice.testkit.Namespaces.Host;

/**
 * Two hosts joined by four shaped NICs, of which one goes away in mid-transfer and returns: messages go on and are right, and the
 * rail takes load again without anyone asking. {@link RailRounds} measures how long that takes.
 */
class RailLossTest {
    private static final int NICS = 4;
    private static final int PATIENCE_SECONDS = 30;
    private static final long BYTES = 8 << 20;

    private static Namespaces hosts;
    private static Side receiver;
    private static Side sender;

    @BeforeAll
    static void join() throws Exception {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
        hosts = Namespaces.up("loss", NICS, "200mbit");
        receiver = side(Host.A, "receive", "");
        receiver.await(0, l -> l.equals("BOUND"), PATIENCE_SECONDS);
        sender = side(Host.B, "send", Host.A.address(0));
        sender.await(0, l -> l.equals("READY"), PATIENCE_SECONDS);
    }

    private static Side side(Host host, String what, String peer) throws Exception {
        return new Side(
                what,
                hosts.command(host, List.of()),
                List.of(what, hosts.nics(), "20000", Long.toString(BYTES), "chunk=131072", peer));
    }

    @AfterAll
    static void part() {
        for (Side side : new Side[] {sender, receiver}) {
            if (side != null) {
                side.close();
            }
        }
        if (hosts != null) {
            hosts.close();
        }
    }

    /** Waits for so many more messages to be compared. */
    private static void verified(int messages) throws Exception {
        for (int n = 0; n < messages; n++) {
            receiver.await(receiver.lines().size(), l -> l.startsWith("V "), PATIENCE_SECONDS);
        }
        assertThat(receiver.lines()).noneMatch(l -> l.startsWith("W ") || l.startsWith("E "));
        assertThat(sender.lines()).noneMatch(l -> l.startsWith("E "));
    }

    /** What the rail's channels have landed so far, by a line of the receiver's. */
    private static long landed(String line, int nic) {
        String[] word = line.split(" ", -1);
        long sum = 0;
        for (int channel = nic - 1; channel + 2 < word.length; channel += NICS) {
            sum += Long.parseLong(word[channel + 2]);
        }
        return sum;
    }

    private static long landed(int nic) throws Exception {
        return landed(receiver.await(receiver.lines().size(), l -> l.startsWith("S "), PATIENCE_SECONDS), nic);
    }

    /** The fault holds for several messages; after it, the rail carries as many bytes as a message has. */
    private static void isSurvived(int nic, Fault fault) throws Exception {
        verified(1);
        fault.begins();
        verified(4);
        long before = landed(nic);
        verified(2);
        assertThat(landed(nic)).as("bytes over a rail that is away").isEqualTo(before);
        fault.ends();
        int from = receiver.lines().size();
        receiver.await(from, l -> l.startsWith("S ") && landed(l, nic) > before + BYTES, PATIENCE_SECONDS);
        verified(1);
    }

    private record Fault(Change begin, Change end) {
        private interface Change {
            void make() throws Exception;
        }

        void begins() throws Exception {
            begin.make();
        }

        void ends() throws Exception {
            end.make();
        }
    }

    @Test
    void aNicThatIsTakenDownAtTheReceiver() throws Exception {
        isSurvived(1, new Fault(() -> hosts.setDown(Host.A, 1), () -> hosts.setUp(Host.A, 1)));
    }

    @Test
    void aNicThatIsTakenDownAtTheSender() throws Exception {
        isSurvived(2, new Fault(() -> hosts.setDown(Host.B, 2), () -> hosts.setUp(Host.B, 2)));
    }

    @Test
    void aRailThatLosesEveryPacketInSilence() throws Exception {
        isSurvived(3, new Fault(() -> hosts.drop(3), () -> hosts.restore(3)));
    }
}
