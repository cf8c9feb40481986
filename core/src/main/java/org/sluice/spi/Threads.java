package org.sluice.spi;

/** Starts threads on a machine that may give none: a container's limit on processes counts threads too. */
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

    /**
     * Starts a virtual thread.
     *
     * @throws ThreadLimitException when the machine gives no thread to carry it; it does not run
     */
    public static Thread startVirtual(String name, Runnable run) {
        try {
            return Thread.ofVirtual().name(name).start(run);
        } catch (OutOfMemoryError | ExceptionInInitializerError | NoClassDefFoundError e) {
            // the last two: the JVM starts threads of its own in the initializer of its class for virtual threads, and
            // a class whose initializer failed once is never there again
            throw new ThreadLimitException(name, e);
        }
    }

    /**
     * Makes the JVM's own threads for virtual threads now, while the caller can still refuse to begin: when they cannot
     * be made at first use, this process never has virtual threads.
     *
     * @throws ThreadLimitException when the machine gives none
     */
    public static void prepareVirtual() {
        startVirtual("first-virtual", () -> {});
    }
}
