package org.sluice.cli.run;

/** What bytes a sender's iterations have. */
enum Contents {
    /** Others in each: what is left of an earlier iteration does not compare. */
    OF_EACH_ITERATION,
    /**
     * The same in all, so that a receiver can compare though nobody has told the sender to verify. The receiver takes them away
     * before each iteration.
     */
    ALWAYS_THE_SAME;

    /** Of an iteration that is none: what is there before the first. */
    private static final long NO_ITERATION = -2;

    /** The seed of what a sender sends. */
    long sent(int sender, int gpu, long iteration) {
        return ContentSeed.of(sender, gpu, this == ALWAYS_THE_SAME ? 0 : iteration);
    }

    /** The seed of what lies where nothing was received: no sender's iteration has it. */
    static long nothing(int receiver, int gpu) {
        return ContentSeed.of(receiver, gpu, NO_ITERATION);
    }
}
