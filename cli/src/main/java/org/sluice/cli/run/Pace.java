package org.sluice.cli.run;

/** How far a run may go, which the client decides. Every thread may ask. */
sealed interface Pace permits FixedPace, LeaderPace, FollowerPace {
    /** Whether there is an iteration of this number; waits for the leader's word where this side follows. */
    boolean mayRun(long iteration);

    /** Waits until both sides are prepared for an iteration. */
    void bothReady(long iteration);

    /** Tells the peer what this side compared. @return what the peer did */
    Outcome exchange(Outcome own);

    /** Why the run failed, where the peer has said it better than what this side noticed. */
    RuntimeException explain(RuntimeException noticed);

    /** Tells the peer why this side gives up. */
    void giveUp(RuntimeException why);
}
