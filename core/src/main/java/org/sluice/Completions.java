package org.sluice;

import org.jspecify.annotations.Nullable;

/**
 * Room for the ends of transfers that were posted in a {@link Batch}, which {@link Link#poll(Completions)} fills. Made once and used again,
 * it allocates nothing. Belongs to one thread.
 */
public final class Completions {
    private final long[] tokens;
    private final long[] startedAt;
    private final long[] endedAt;
    private final @Nullable SluiceException[] failures;
    private int size;

    /** @param most how many ends one poll takes, at least 1 */
    public Completions(int most) {
        if (most < 1) {
            throw new IllegalArgumentException("there is room for " + most + " completions, it must be 1 at least");
        }
        tokens = new long[most];
        startedAt = new long[most];
        endedAt = new long[most];
        failures = new SluiceException[most];
    }

    /** How many the last poll took. */
    public int size() {
        return size;
    }

    /** What the i-th was posted with. */
    public long token(int i) {
        return tokens[checked(i)];
    }

    /** When both sides were ready for it and it began, as {@link System#nanoTime}; 0 where it failed. */
    public long startedAt(int i) {
        return startedAt[checked(i)];
    }

    /** When its end was known here, as {@link System#nanoTime}. */
    public long endedAt(int i) {
        return endedAt[checked(i)];
    }

    /** Why it failed; null where every byte is in its destination. */
    public @Nullable SluiceException failure(int i) {
        return failures[checked(i)];
    }

    private int checked(int i) {
        if (i < 0 || i >= size) {
            throw new IndexOutOfBoundsException(i + " of " + size + " completions");
        }
        return i;
    }

    /** Forgets what the last poll took. */
    public void clear() {
        for (int i = 0; i < size; i++) {
            failures[i] = null;
        }
        size = 0;
    }

    /** For the link that fills it. @return false where it is full */
    public boolean add(long token, long began, long ended, @Nullable SluiceException failure) {
        if (size == tokens.length) {
            return false;
        }
        tokens[size] = token;
        startedAt[size] = began;
        endedAt[size] = ended;
        failures[size++] = failure;
        return true;
    }

    /** Whether there is no room for another one. */
    public boolean isFull() {
        return size == tokens.length;
    }
}
