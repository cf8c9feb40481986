package org.sluice.ncclnet;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.sluice.spi.TransportException;

/**
 * Closes comms, each on a thread of its own. In some plugins a close waits until the peer closes its end or makes progress, which
 * the peer does not while a close of its own waits for this side: so no close keeps the next from starting, and the end of a
 * transport waits for those that are left no longer than it has patience. NCCL too closes comms from another thread than it moves
 * bytes with.
 */
final class CommCloser {
    /** What a close that waits for nobody needs at most: until then comms are closed one after the other. */
    private static final Duration ORDERLY = Duration.ofMillis(100);

    private final Set<Closing> underWay = ConcurrentHashMap.newKeySet();

    /** A close under way, or through. */
    final class Closing {
        private final CommPlace place;
        private final boolean inFlight;
        private final Runnable close;
        private final Thread thread;
        private final CallClock clock;
        private volatile boolean untouched;

        private Closing(CommPlace place, boolean inFlight, Runnable close) {
            this.place = place;
            this.inFlight = inFlight;
            this.close = close;
            this.clock = new CallClock(place.callNanos(), System.nanoTime());
            this.thread = Thread.ofPlatform().name(place.name()).daemon(true).unstarted(this::run);
        }

        private void run() {
            CallTrace trace = ExitNotice.trace(false);
            try {
                place.gpu.bindThread();
                place.enter(trace, PluginCall.CLOSE);
                close.run();
                untouched = true;
                trace.leave();
            } finally {
                ExitNotice.giveBack(trace);
                underWay.remove(this);
            }
        }

        /** Whether the plugin touches no memory for the comm any more. @throws TransportException when it takes too long */
        boolean isUntouched() throws TransportException {
            if (untouched || !inFlight) {
                return true;
            }
            if (clock.isOver(System.nanoTime())) {
                throw place.overdue(PluginCall.CLOSE, place.callNanos());
            }
            return false;
        }
    }

    /**
     * Starts a close and returns when it has come back, or soon after in any case.
     *
     * @param inFlight whether requests are
     */
    Closing close(CommPlace place, boolean inFlight, Runnable close) {
        Closing closing = new Closing(place, inFlight, close);
        underWay.add(closing);
        closing.thread.start();
        join(closing.thread, ORDERLY);
        return closing;
    }

    /** Waits for the closes that are under way. @return those that have not come back in time */
    List<String> await(Duration atMost) {
        long end = System.nanoTime() + atMost.toNanos();
        List<String> left = new ArrayList<>();
        for (Closing closing : underWay) {
            Duration rest = Duration.ofNanos(Math.max(1, end - System.nanoTime()));
            if (!join(closing.thread, rest)) {
                left.add(closing.place.name());
            }
        }
        return left;
    }

    /** An interrupt is kept for the caller: a comm is not closed by half. */
    static boolean join(Thread thread, Duration atMost) {
        boolean interrupted = false;
        long end = System.nanoTime() + atMost.toNanos();
        try {
            while (true) {
                try {
                    return thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
