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
 * The NIC of the control connection goes away in mid-transfer and stays away, while four others carry the data: the connection moves
 * to one of those, and every message is right. A link whose control connection could not move was lost after the peer timeout.
 */
class ControlLossTest {
    private static final int PATIENCE_SECONDS = 60;
    private static final long BYTES = 8 << 20;

    private static Namespaces hosts;
    private static Side receiver;
    private static Side sender;

    @BeforeAll
    static void join() throws Exception {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
        hosts = Namespaces.up("ctl", 4, "200mbit");
        receiver = side(Host.A, "receive", "");
        receiver.await(0, l -> l.equals("BOUND"), PATIENCE_SECONDS);
        sender = side(Host.B, "send", Host.A.address(0)); // eth0, which carries no data
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

    private static void verified(int messages) throws Exception {
        receiver.awaitVerified(messages, PATIENCE_SECONDS);
        assertThat(receiver.lines()).noneMatch(l -> l.startsWith("W ") || l.startsWith("E "));
        assertThat(sender.lines()).noneMatch(l -> l.startsWith("E "));
    }

    @Test
    void theControlConnectionMovesEachTimeItsNicGoes() throws Exception {
        verified(2);
        hosts.drop(0); // in silence: no error comes from any kernel
        verified(60);
        hosts.restore(0);
        hosts.setDown(Host.A, 0);
        verified(20);
    }
}
