package org.sluice.spi;

/** Starts platform threads on a machine that may give none: a container's limit on processes counts threads too. */
public final class Threads {
    private Threads() {}

    /**
     * Starts a thread.
     *
     * @throws ThreadLimitException when the machine gives none; nothing was started
     */
    public static Thread start(Thread unstarted) {
        try {
            unstarted.start();
            return unstarted;
        } catch (OutOfMemoryError e) {
            // what the JVM throws for pthread_create's EAGAIN; the heap has room
            throw new ThreadLimitException(unstarted.getName(), e);
        }
    }
}
