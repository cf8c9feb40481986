package org.sluice.ncclnet;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.sluice.spi.Gpu;

/**
 * Closes comms, each on a thread of its own. In some plugins a close waits until the peer closes its end or makes progress, which
 * the peer does not while a close of its own waits for this side: so no close keeps the next from starting, and the end of a
 * transport waits for those that are left no longer than it has patience. NCCL too closes comms from another thread than it moves
 * bytes with.
 */
final class CommCloser {
    /** What a close that waits for nobody needs at most: until then comms are closed one after the other. */
    private static final Duration ORDERLY = Duration.ofMillis(100);

    private final Set<Thread> underWay = ConcurrentHashMap.newKeySet();

    /**
     * Starts a close and returns when it has come back; where nothing of the comm's is in flight, soon after in any case.
     *
     * @param name what is closed, for {@link #await}
     * @param inFlight whether the plugin may still read or write memory that is freed after this
     */
    void close(Gpu gpu, String name, boolean inFlight, Runnable close) {
        Thread thread = Thread.ofPlatform().name(name).daemon(true).unstarted(() -> {
            try {
                gpu.bindThread();
                close.run();
            } finally {
                underWay.remove(Thread.currentThread());
            }
        });
        underWay.add(thread);
        thread.start();
        if (inFlight) {
            join(thread, Duration.ofNanos(Long.MAX_VALUE));
        } else {
            join(thread, ORDERLY);
        }
    }

    /** Waits for the closes that are under way. @return those that have not come back in time */
    List<String> await(Duration atMost) {
        long end = System.nanoTime() + atMost.toNanos();
        List<String> left = new ArrayList<>();
        for (Thread thread : underWay) {
            Duration rest = Duration.ofNanos(Math.max(1, end - System.nanoTime()));
            if (!join(thread, rest)) {
                left.add(thread.getName());
            }
        }
        return left;
    }

    /** An interrupt is kept for the caller: a comm is not closed by half. */
    private static boolean join(Thread thread, Duration atMost) {
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
