package org.sluice.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/** What rank 0 has done again, by what the ranks tell it. Nobody measures anything here. */
class RefereeTest {
    private static final int NODES = 8;
    private static final long USUAL = 12_500_000;
    private static final Pairing BAD = Pairing.of(2, 5);

    private final Referee referee =
            new Referee(new Plan(Duration.ofSeconds(1), Plan.LEAST_SIZE, 1, false), true, null, line -> {});

    /** Plays a whole matrix. @param slowLooks how often the bad pair is seen at half its rate. @return times that it was measured */
    private int play(int slowLooks) {
        referee.conclude(
                0, each(r -> Words.of(new MatrixReport.Member(r, "host-" + r, "host", "", 1, List.of("eth1")))));
        int looks = 0;
        Order order = Words.order(referee.conclude(1, each(r -> Words.of(List.of()))));
        for (int step = 2; order.kind() == Order.Kind.ROUND; step++) {
            boolean slow = false;
            if (order.pairs().contains(BAD)) {
                slow = looks++ < slowLooks;
            }
            List<Pairing> pairs = order.pairs();
            boolean half = slow;
            order = Words.order(referee.conclude(step, each(r -> Words.of(seen(r, pairs, half)))));
        }
        assertThat(order.kind()).isEqualTo(Order.Kind.END);
        return looks;
    }

    private static List<Sight> seen(int rank, List<Pairing> pairs, boolean slow) {
        return pairs.stream()
                .filter(p -> p.has(rank))
                .map(p -> {
                    long bytes = slow && p.equals(BAD) ? USUAL / 2 : USUAL + rank * 1000L;
                    Flow flow = new Flow("eth1", "eth1", bytes, 9000, 0);
                    return new Sight(p.partnerOf(rank), "", 1, bytes, 0, 100, 200, List.of(flow));
                })
                .toList();
    }

    private static List<byte[]> each(IntFunction<byte[]> word) {
        List<byte[]> words = new ArrayList<>();
        for (int r = 0; r < NODES; r++) {
            words.add(word.apply(r));
        }
        return words;
    }

    @Test
    void nothingIsMeasuredAgainWhereNothingLooksBad() {
        assertThat(play(0)).isEqualTo(1);
        assertThat(referee.report().pass()).isTrue();
    }

    @Test
    void aPathThatLooksBadTwiceByChanceIsNotNamed() {
        assertThat(play(2)).isEqualTo(3);
        assertThat(referee.report().findings()).isEmpty();
    }

    @Test
    void aPathThatIsBadEachTimeIs() {
        assertThat(play(Integer.MAX_VALUE)).isEqualTo(4);
        assertThat(referee.report().findings()).hasSize(1).first().satisfies(f -> {
            assertThat(f.rank()).isEqualTo(2);
            assertThat(f.peer()).isEqualTo(5);
        });
    }
}
