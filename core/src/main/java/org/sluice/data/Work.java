package org.sluice.data;

/** Something an agent turns, on its thread. */
public interface Work {
    /** One turn. @param now {@link System#nanoTime} @return how much was done, 0 for nothing */
    int doWork(long now);

    /** Whether the next turn must come at once although nobody rings: something is under way that has to be asked after. */
    boolean mustPoll();
}
