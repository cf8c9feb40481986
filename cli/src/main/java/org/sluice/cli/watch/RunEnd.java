package org.sluice.cli.watch;

import org.jspecify.annotations.Nullable;

/**
 * What a run came to, by its own clock.
 *
 * @param bytes payload of all transfers
 * @param seconds from the first chunk to the last byte landed; parts that were no transfer left out
 * @param verifying whether bytes were to be compared
 * @param verifiedBytes that were, on either side
 * @param mismatchedBytes of those, in pages that hold a wrong one
 * @param firstMismatch where, null if nowhere
 */
public record RunEnd(
        long bytes,
        double seconds,
        double gbPerSecond,
        boolean verifying,
        long verifiedBytes,
        long mismatchedBytes,
        @Nullable String firstMismatch) {}
