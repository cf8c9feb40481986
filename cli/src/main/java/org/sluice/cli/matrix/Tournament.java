package org.sluice.cli.matrix;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Who measures whom when, so that every node is busy and none doubly. */
final class Tournament {
    private Tournament() {}

    /**
     * Every pair once, by the circle method: one node stays and all others move on by a place each round, and who face each other are a pair.
     *
     * @return n - 1 rounds of n / 2 pairs; where n is odd, n rounds, in each of which another node rests
     */
    static List<List<Pairing>> rounds(int n) {
        int places = n + n % 2;
        List<List<Pairing>> rounds = new ArrayList<>();
        for (int round = 0; round < places - 1; round++) {
            List<Pairing> pairs = new ArrayList<>();
            for (int i = 0; i < places / 2; i++) {
                int a = i == 0 ? places - 1 : (round + i) % (places - 1);
                int b = (round + places - 1 - i) % (places - 1);
                if (a < n && b < n) {
                    pairs.add(Pairing.of(a, b));
                }
            }
            rounds.add(List.copyOf(pairs));
        }
        return List.copyOf(rounds);
    }

    /** Some pairs in as few rounds as it takes when each goes into the first in which both are free. @param most rounds; pairs beyond are left out */
    static List<List<Pairing>> some(List<Pairing> pairs, int most) {
        List<List<Pairing>> rounds = new ArrayList<>();
        List<Set<Integer>> busy = new ArrayList<>();
        for (Pairing p : pairs) {
            int r = 0;
            while (r < rounds.size()
                    && (busy.get(r).contains(p.low()) || busy.get(r).contains(p.high()))) {
                r++;
            }
            if (r == most) {
                continue;
            }
            if (r == rounds.size()) {
                rounds.add(new ArrayList<>());
                busy.add(new HashSet<>());
            }
            rounds.get(r).add(p);
            busy.get(r).add(p.low());
            busy.get(r).add(p.high());
        }
        return rounds.stream().map(List::copyOf).toList();
    }
}
