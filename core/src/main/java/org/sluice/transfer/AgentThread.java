package org.sluice.transfer;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import org.sluice.spi.ThreadLimitException;
import org.sluice.spi.Threads;

/** An agent's thread as others see it: whether it comes round, and what it is in when it does not. */
final class AgentThread {
    private static final boolean FEW_CPUS = Runtime.getRuntime().availableProcessors() <= 4;

    private static final VarHandle CAME_ROUND;
    private static final long RESTING = 0;

    static {
        try {
            CAME_ROUND = MethodHandles.lookup().findVarHandle(AgentThread.class, "cameRound", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Thread thread;
    /** When it began its turn, or {@link #RESTING}. Written each turn: an opaque store costs what a plain one does. */
    @SuppressWarnings("unused") // by its handle
    private long cameRound;

    AgentThread(String name, Runnable run) {
        thread = Thread.ofPlatform().name(name).daemon(true).unstarted(run);
    }

    /** @throws ThreadLimitException when the machine gives none */
    void start() {
        Threads.start(thread);
    }

    String name() {
        return thread.getName();
    }

    boolean isCurrent() {
        return Thread.currentThread() == thread;
    }

    /** The agent's own. @param now {@link System#nanoTime} */
    void comesRound(long now) {
        CAME_ROUND.setOpaque(this, now == RESTING ? 1 : now);
    }

    /** The agent's own: it waits for something to do. */
    void rests() {
        CAME_ROUND.setOpaque(this, RESTING);
    }

    /** How long it has not come round; 0 while it rests. */
    long busyNanos() {
        long at = (long) CAME_ROUND.getOpaque(this);
        return at == RESTING ? 0 : Math.max(0, System.nanoTime() - at);
    }

    /** {@code gpu0-agent is in org.sluice.ncclnet.NetPlugin.accept}: the innermost call that is not the JDK's. */
    String doing() {
        for (StackTraceElement frame : thread.getStackTrace()) {
            String in = frame.getClassName();
            if (!in.startsWith("java.") && !in.startsWith("jdk.") && !in.startsWith("sun.")) {
                return thread.getName() + " is in " + in + "." + frame.getMethodName();
            }
        }
        return thread.getName() + (thread.isAlive() ? " is in a native call" : " has ended");
    }

    /** Waits for its end. @return false when it goes on */
    boolean join(Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        boolean interrupted = false;
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

    /** Nothing to do, but a copy or a plugin has to be asked again: with few CPUs, let those work who can. */
    @SuppressWarnings("ThreadPriorityCheck")
    static void breathe() {
        if (FEW_CPUS) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }
}
