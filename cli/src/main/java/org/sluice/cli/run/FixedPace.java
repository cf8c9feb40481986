package org.sluice.cli.run;

/** For peers that cannot be talked to (UCCL's bootstrap): both sides were told the same number of iterations. */
record FixedPace(long iterations) implements Pace {
    @Override
    public boolean mayRun(long iteration) {
        return iteration < iterations;
    }

    @Override
    public void bothReady(long iteration) {}

    @Override
    public Outcome exchange(Outcome own) {
        return Outcome.NONE;
    }

    @Override
    public RuntimeException explain(RuntimeException noticed) {
        return noticed;
    }

    @Override
    public void giveUp(RuntimeException why) {}
}
