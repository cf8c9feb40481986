package org.sluice.cli.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TournamentTest {
    static IntStream sizes() {
        return IntStream.concat(IntStream.rangeClosed(2, 33), IntStream.of(64, 101, 256));
    }

    private static void nobodyIsBusyDoubly(List<Pairing> round) {
        List<Integer> busy =
                round.stream().flatMap(p -> Stream.of(p.low(), p.high())).toList();
        assertThat(busy).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void everyPairMeetsOnceAndNobodyIsBusyDoubly(int n) {
        List<List<Pairing>> rounds = Tournament.rounds(n);
        assertThat(rounds).hasSize(n % 2 == 0 ? n - 1 : n);
        Set<Pairing> all = new HashSet<>();
        for (List<Pairing> round : rounds) {
            assertThat(round).hasSize(n / 2); // all nodes are busy, or all but one
            nobodyIsBusyDoubly(round);
            assertThat(all.addAll(round)).isTrue();
        }
        assertThat(all).hasSize(n * (n - 1) / 2).allMatch(p -> p.low() >= 0 && p.high() < n);
        assertThat(rounds.stream().mapToInt(List::size).sum()).isEqualTo(all.size());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 100})
    void somePairsGoIntoFewRounds(int most) {
        List<Pairing> pairs = new ArrayList<>();
        for (int i = 1; i < 20; i++) {
            pairs.add(new Pairing(0, i)); // one node in all of them
            pairs.add(new Pairing(20 + i, 40 + i));
        }
        List<List<Pairing>> rounds = Tournament.some(pairs, most);
        assertThat(rounds).hasSize(Math.min(most, 19));
        rounds.forEach(TournamentTest::nobodyIsBusyDoubly);
        assertThat(rounds.getFirst()).contains(new Pairing(0, 1), new Pairing(21, 41), new Pairing(39, 59));
    }
}
