package org.sluice.cli.run;

/** The client's: runs its plan, and keeps the server informed a step ahead. */
final class LeaderPace implements Pace {
    /** Payload of a GPU that is announced at once at most, so that small transfers do not need a word each. */
    private static final long STEP_BYTES = 4 << 20;

    private static final long LONGEST_STEP = 64;

    private final Conversation peer;
    private final RunPlan plan;
    private final long step;
    private long startedAt;
    private long announced;
    private boolean over;

    LeaderPace(Conversation peer, RunPlan plan) {
        this.peer = peer;
        this.plan = plan;
        this.step = plan.verify() ? 1 : Math.clamp(STEP_BYTES / Math.max(1, plan.size()), 1, LONGEST_STEP);
    }

    @Override
    public synchronized boolean mayRun(long iteration) {
        if (iteration < announced) {
            return true;
        }
        if (over) {
            return false;
        }
        if (announced == 0) {
            startedAt =
                    System.nanoTime(); // the first iteration: touching the memory before it is not part of the duration
        }
        boolean late = !plan.duration().isZero()
                && System.nanoTime() - startedAt >= plan.duration().toNanos();
        long most = plan.iters() == 0 ? Long.MAX_VALUE : plan.iters();
        if (late || iteration >= most) {
            over = true;
            peer.end();
            return false;
        }
        announced = plan.duration().isZero() && !plan.verify() ? most : Math.min(most, iteration + step);
        peer.more(announced);
        return true;
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
