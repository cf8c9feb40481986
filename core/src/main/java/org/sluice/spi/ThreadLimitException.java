package org.sluice.spi;

/** The machine gives this process no more threads. The message names the thread and the limits to raise. */
public final class ThreadLimitException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public ThreadLimitException(String thread, Throwable cause) {
        super(
                "thread " + thread + " cannot be made (" + cause.getMessage()
                        + "): raise the limit on processes and threads, which is the container's or cgroup's pids.max"
                        + " (docker run --pids-limit), or ulimit -u",
                cause);
    }
}
