package org.sluice.transfer;

/** Something an agent turns, on its thread. */
public interface Work {
    /** One turn. @param now {@link System#nanoTime} @return how much was done, 0 for nothing */
    int doWork(long now);

    /**
     * How long this need not be turned, in milliseconds, unless its bell rings; 0: it is to be turned again at once. Asked when it had
     * nothing to do.
     */
    int restMillis();

    /**
     * It threw, or the agent ends: this piece of work ends for this reason, with all that hangs on it, and is turned no more.
     * Idempotent.
     */
    void fail(Throwable why);

    /** While something is awaited that rings, and has to be looked after all the same. */
    int IDLE_MILLIS = 50;
}
