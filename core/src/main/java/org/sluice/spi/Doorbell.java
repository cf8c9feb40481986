package org.sluice.spi;

/** Wakes the agent that owns a channel. Any thread may ring; ringing an agent that is awake costs a volatile read. */
@FunctionalInterface
public interface Doorbell {
    void ring();
}
