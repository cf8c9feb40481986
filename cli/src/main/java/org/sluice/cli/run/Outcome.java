package org.sluice.cli.run;

import org.jspecify.annotations.Nullable;

/**
 * What comparing received bytes came to.
 *
 * @param verified bytes compared
 * @param mismatched of those, bytes in 4 KiB pages that hold a wrong one
 * @param first where the first wrong byte was, null if there was none
 */
public record Outcome(
        long verified, long mismatched, @Nullable String first) {
    static final Outcome NONE = new Outcome(0, 0, null);

    Outcome plus(Outcome other) {
        return new Outcome(
                verified + other.verified, mismatched + other.mismatched, first != null ? first : other.first);
    }
}
