package org.sluice.cli.run;

import java.util.List;
import org.sluice.Link;
import org.sluice.SluiceException;

/**
 * Says goodbye on every link when the user stops the process (Ctrl-C, SIGTERM), so that the peer knows at once and need not
 * find out. Closing this, at the regular end, takes the hook away.
 */
final class Goodbye implements AutoCloseable {
    private final Thread hook;

    private Goodbye(List<Link> links, Runnable before) {
        this.hook = new Thread(
                () -> {
                    before.run();
                    System.err.println("sluice: stopped by the user; said goodbye to the peer");
                    for (Link link : links) {
                        try {
                            link.close();
                        } catch (SluiceException e) {
                            // it is gone already
                        }
                    }
                },
                "goodbye");
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
