package org.sluice.tcp.survive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.sluice.testkit.Namespaces;
import org.sluice.testkit.Namespaces.Host;

/** A rail that is dead when the link is made is gone without, and takes its part once it works. */
class LateRailTest {
    private static final int PATIENCE_SECONDS = 60;
    private static final int CHANNELS = 8;
    private static final long BYTES = 8 << 20;

    private Namespaces hosts;
    private Side receiver;
    private Side sender;

    @BeforeEach
    void up() throws Exception {
        assumeTrue(Namespaces.canRun(), Namespaces::whyNot);
        hosts = Namespaces.up("late", 3, "200mbit");
    }

    @AfterEach
    void down() {
        for (Side side : new Side[] {sender, receiver}) {
            if (side != null) {
                side.close();
            }
        }
        if (hosts != null) {
            hosts.close();
        }
    }

    private Side side(Host host, String what, String peer) throws Exception {
        return new Side(
                what,
                hosts.command(host, List.of()),
                List.of(what, hosts.nics(), "20000", Long.toString(BYTES), "chunk=131072", peer));
    }

    /** What the last channel, which is the dead rail's, has landed, by a line of the receiver's. */
    private static long lastChannel(String line) {
        String[] words = line.split(" ", -1);
        return Long.parseLong(words[CHANNELS + 1]);
    }

    @Test
    void itsChannelComesToLifeWithIt() throws Exception {
        hosts.drop(2);
        receiver = side(Host.A, "receive", "");
        receiver.await(0, l -> l.equals("BOUND"), PATIENCE_SECONDS);
        sender = side(Host.B, "send", Host.A.address(0));
        sender.await(0, l -> l.equals("READY"), PATIENCE_SECONDS);
        for (int n = 0; n < 3; n++) {
            receiver.await(receiver.lines().size(), l -> l.startsWith("V "), PATIENCE_SECONDS);
        }
        assertThat(receiver.lines()).filteredOn(l -> l.startsWith("S ")).allMatch(l -> lastChannel(l) == 0);
        hosts.restore(2);
        receiver.await(receiver.lines().size(), l -> l.startsWith("S ") && lastChannel(l) > BYTES, PATIENCE_SECONDS);
        receiver.await(receiver.lines().size(), l -> l.startsWith("V "), PATIENCE_SECONDS);
        assertThat(receiver.lines()).noneMatch(l -> l.startsWith("W ") || l.startsWith("E "));
        assertThat(sender.lines()).noneMatch(l -> l.startsWith("E "));
    }
}
