package org.sluice.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.sluice.ConfigException;
import org.sluice.ProtocolException;
import org.sluice.rendezvous.Group;

/** What ranks say to each other at the meeting place. */
class WordsTest {
    private static final Sight SEEN = new Sight(
            3,
            "",
            1.5,
            1 << 20,
            4096,
            12.5,
            99,
            List.of(new Flow("eth1", "eth2", 5, 6, 7), new Flow("eth3", "eth4", 8, 9, 10)));

    @Test
    void whatIsSaidIsHeard() {
        List<Sight> sights = List.of(SEEN, Sight.failed(1, "no route"));
        assertThat(Words.sights(Words.of(sights), 4)).isEqualTo(sights);
        Order round = Order.round(List.of(new Pairing(0, 3), new Pairing(1, 2)));
        assertThat(Words.order(Words.of(round))).isEqualTo(round);
        Order end = Order.end(6, "NOT VALID");
        assertThat(Words.order(Words.of(end))).isEqualTo(end);
        MatrixReport.Member facts =
                new MatrixReport.Member(2, "node-1", "cuda", "NVIDIA H200", 8, List.of("eth1", "eth2"));
        assertThat(Words.facts(Words.of(facts), 2)).isEqualTo(facts);
        Plan plan = new Plan(Duration.ofMillis(1500), 1 << 20, 8, true);
        assertThat(Plan.decode(plan.encode())).isEqualTo(plan);
    }

    @Test
    void theLargestWordsFit() {
        Sight large = new Sight(
                0, "", 1, 1, 0, 1, 1, Collections.nCopies(64, new Flow("enp1s0f0np0", "enp1s0f0np0", 1, 1, 1)));
        assertThat(Words.of(Collections.nCopies(12, large)).length).isLessThan(Group.MOST_WORD_BYTES);
    }

    @Test
    void whatDoesNotHoldIsRefused() {
        byte[] good = Words.of(List.of(SEEN));
        assertThatThrownBy(() -> Words.sights(good, 3))
                .isInstanceOf(ProtocolException.class)
                .hasMessageContaining("said 3 rank");
        assertThatThrownBy(() -> Words.sights(Arrays.copyOf(good, good.length + 1), 4))
                .isInstanceOf(ProtocolException.class);
        for (int cut = 0; cut < good.length; cut++) {
            byte[] part = Arrays.copyOf(good, cut);
            assertThatThrownBy(() -> Words.sights(part, 4)).isInstanceOf(ProtocolException.class);
        }
        Random random = new Random(3);
        for (int i = 0; i < 5_000; i++) {
            byte[] bytes = i % 2 == 0 ? good.clone() : new byte[random.nextInt(200)];
            for (int k = 0; k < 5 && bytes.length > 0; k++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            refusedOrRead(bytes);
        }
        assertThatThrownBy(() -> Plan.decode(new byte[] {1, 2})).isInstanceOf(ProtocolException.class);
        assertThatThrownBy(() -> new Plan(Duration.ZERO, 1 << 20, 1, false)).isInstanceOf(ConfigException.class);
        assertThatThrownBy(() -> new Plan(Duration.ofSeconds(1), 5000, 1, false))
                .isInstanceOf(ConfigException.class);
    }

    private static void refusedOrRead(byte[] bytes) {
        try {
            Words.sights(bytes, 4);
            Words.order(bytes);
            Words.facts(bytes, 0);
        } catch (ProtocolException e) {
            // as it should be
        }
    }
}
