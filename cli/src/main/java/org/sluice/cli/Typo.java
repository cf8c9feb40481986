package org.sluice.cli;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds what a mistyped word was meant to be. */
final class Typo {
    /** More wrong letters than this, or than a third of them, and it was another word. */
    private static final int MOST_EDITS = 2;

    /** Fewer letters than this begin too many words. */
    private static final int LEAST_BEGINNING = 3;

    private Typo() {}

    /** The known word that begins so, or has the fewest letters changed, added or left out; what follows an equals sign does not count. */
    static Optional<String> nearest(String word, Collection<String> known) {
        String typed = word.split("=", 2)[0];
        int most = Math.min(MOST_EDITS, typed.length() / 3);
        Optional<String> begun = known.stream()
                .filter(k -> typed.length() >= LEAST_BEGINNING && k.startsWith(typed))
                .min(Comparator.naturalOrder());
        if (begun.isPresent()) {
            return begun;
        }
        return known.stream()
                .filter(k -> edits(typed, k) <= most)
                .min(Comparator.comparingInt((String k) -> edits(typed, k)).thenComparing(Comparator.naturalOrder()));
    }

    /** Levenshtein's distance. */
    private static int edits(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
