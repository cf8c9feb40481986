package org.sluice.contract;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.Doorbell;
import org.sluice.spi.TransportException;

/**
 * Turns steps the way the engine's agent does: again while they get on, else resting until the doorbell rings, or at once where
 * the transport has none. A step that is never done, or a doorbell that never rings, ends at the deadline.
 */
final class Patience implements Doorbell {
    /** How the agent rests while channels are being made, whose transport need not ring. */
    private static final long SETUP_REST_MILLIS = 1;

    private final Semaphore rings = new Semaphore(0);
    private final Duration atMost;

    Patience(Duration atMost) {
        this.atMost = atMost;
    }

    /** Something that is asked until it is done. */
    @FunctionalInterface
    interface Step<T> {
        /** @return the result, or null for "not yet" */
        @Nullable T attempt() throws TransportException;
    }

    /** Something that is turned until it is done. */
    @FunctionalInterface
    interface Turn {
        /** @return how much was done, 0 for nothing, or negative when all is done */
        int turn() throws TransportException;
    }

    @Override
    public void ring() {
        rings.release();
    }

    /** Asks every millisecond: for connecting and accepting. */
    <T> T poll(String what, Step<T> step) throws TransportException {
        long end = System.nanoTime() + atMost.toNanos();
        while (true) {
            T result = step.attempt();
            if (result != null) {
                return result;
            }
            rest(what, end, TimeUnit.MILLISECONDS.toNanos(SETUP_REST_MILLIS));
        }
    }

    /** Turns until done. @param rings whether only the doorbell may end a rest */
    void turn(String what, boolean rings, Turn turn) throws TransportException {
        long end = System.nanoTime() + atMost.toNanos();
        while (true) {
            int done = turn.turn();
            if (done < 0) {
                return;
            }
            if (done == 0) {
                rest(what, end, rings ? Long.MAX_VALUE : 0);
            } else if (System.nanoTime() > end) {
                throw overdue(what);
            }
        }
    }

    private void rest(String what, long end, long nanos) {
        long left = end - System.nanoTime();
        if (left <= 0) {
            throw overdue(what);
        }
        try {
            if (nanos == 0) {
                Thread.onSpinWait();
            } else if (rings.tryAcquire(Math.min(left, nanos), TimeUnit.NANOSECONDS)) {
                rings.drainPermits();
            }
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted: " + what, e);
        }
    }

    private AssertionError overdue(String what) {
        return new AssertionError("not within " + atMost.toSeconds() + " s: " + what);
    }
}
