package org.sluice.cli.run;

/** The server's: does what the client says. */
record FollowerPace(Conversation peer) implements Pace {
    @Override
    public boolean mayRun(long iteration) {
        return peer.awaitMore(iteration);
    }

    @Override
    public void bothReady(long iteration) {
        peer.bothReady(iteration);
    }

    @Override
    public Outcome exchange(Outcome own) {
        return peer.exchange(own);
    }

    @Override
    public RuntimeException explain(RuntimeException noticed) {
        return peer.explain(noticed);
    }

    @Override
    public void giveUp(RuntimeException why) {
        peer.giveUp(why);
    }
}
