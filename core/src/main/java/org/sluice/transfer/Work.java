package org.sluice.transfer;

/** Something an agent turns, on its thread. */
public interface Work {
    /** One turn. @param now {@link System#nanoTime} @return how much was done, 0 for nothing */
    int doWork(long now);

    /** How long the agent may rest, in milliseconds, when this had nothing to do and nobody rings; 0: not at all. */
    int restMillis();

    /**
     * It threw, or the agent ends: this piece of work ends for this reason, with all that hangs on it, and is turned no more.
     * Idempotent.
     */
    void fail(Throwable why);

    /** While nothing is under way: heartbeats and deadlines need no finer clock. */
    int IDLE_MILLIS = 50;
}
