package org.sluice.cli.run;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.sluice.Link;
import org.sluice.SluiceException;
import org.sluice.cli.common.Ending;

/**
 * Says goodbye on every link when the user stops the process (Ctrl-C, SIGTERM), so that the peer knows at once and need not find out.
 * Links say it side by side, so that one that hangs keeps no other from it, and no longer than some seconds. Closing this, at the
 * regular end, takes the hook away.
 */
final class Goodbye implements AutoCloseable {
    private static final Duration MOST = Duration.ofSeconds(5);

    private final List<Link> links;
    private final Thread hook;

    private Goodbye(List<Link> links, Runnable before) {
        this.links = links;
        this.hook = new Thread(
                () -> {
                    before.run();
                    say();
                },
                Ending.GOODBYE);
    }

    private void say() {
        List<Thread> saying = new ArrayList<>();
        for (Link link : links) {
            Thread t = Thread.ofPlatform()
                    .name(Ending.GOODBYE + "-gpu" + link.gpu())
                    .daemon(true)
                    .unstarted(() -> close(link));
            try {
                t.start();
                saying.add(t);
            } catch (OutOfMemoryError e) {
                close(link); // there are no more threads: one after the other then
            }
        }
        long end = System.nanoTime() + MOST.toNanos();
        boolean all = true;
        try {
            for (Thread t : saying) {
                all &= t.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            all = false;
        }
        System.err.println(
                all
                        ? "sluice: stopped by the user; said goodbye to the peer"
                        : "sluice: stopped by the user; not every link could say goodbye within " + MOST.toSeconds()
                                + " s");
    }

    private static void close(Link link) {
        try {
            link.close();
        } catch (SluiceException e) {
            // it is gone already
        }
    }

    /** @param before what to do first: whatever else is on the terminal ends */
    static Goodbye of(List<Link> links, Runnable before) {
        Goodbye g = new Goodbye(List.copyOf(links), before);
        Runtime.getRuntime().addShutdownHook(g.hook);
        return g;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // the process is ending: the hook is doing its work
        }
    }
}
