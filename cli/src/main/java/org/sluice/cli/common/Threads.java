package org.sluice.cli.common;

import org.sluice.ConfigException;

/** Threads, of which a machine may have no more to give. */
public final class Threads {
    private Threads() {}

    /** Starts a thread. @throws ConfigException when no more threads can be made, with the remedy */
    public static Thread start(Thread thread) {
        try {
            thread.start();
            return thread;
        } catch (OutOfMemoryError e) {
            throw new ConfigException(Failure.noThreads(), e);
        }
    }
}
