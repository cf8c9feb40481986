package org.sluice.transfer;

/** Something an agent turns, on its thread. */
public interface Work {
    /** One turn. @param now {@link System#nanoTime} @return how much was done, 0 for nothing */
    int doWork(long now);

    /** How long the agent may rest, in milliseconds, when this had nothing to do and nobody rings; 0: not at all. */
    int restMillis();

    /** While nothing is under way: heartbeats and deadlines need no finer clock. */
    int IDLE_MILLIS = 50;
}
