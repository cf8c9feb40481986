package org.sluice.cli.common;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.sluice.linux.ProcessEnd;

/**
 * The end of the process, which comes whatever hangs: a link's goodbye, a plugin's call, a library's exit handlers. What is under way
 * has some seconds to end in an orderly way. A second thread then ends the process; where not even that runs, the kernel does.
 */
public final class Ending {
    /** What an orderly end may take. */
    private static final Duration ORDERLY = Duration.ofSeconds(8);

    /** When the kernel ends the process. */
    private static final Duration AT_LAST = Duration.ofMillis(8_800);

    /** What is added to a signal's number in an exit status. */
    private static final int SIGNALS = 128;

    private static final int UNKNOWN = -1;
    private static final AtomicInteger STATUS = new AtomicInteger(UNKNOWN);

    private Ending() {}

    /** From now on the end is bounded, whoever asks for it. */
    public static void bound() {
        Runtime.getRuntime().addShutdownHook(new Thread(Ending::begun, "ending"));
    }

    /** Ends the process. */
    public static void exit(int status) {
        STATUS.compareAndSet(UNKNOWN, status);
        System.exit(status);
    }

    private static void begun() {
        int status = status();
        ProcessEnd.within(AT_LAST.toMillis(), status);
        try {
            Thread.ofPlatform().name("ending-at-last").daemon(true).start(() -> atLast(status));
        } catch (OutOfMemoryError e) {
            // no more threads can be made: the kernel keeps time
        }
    }

    private static void atLast(int status) {
        try {
            Thread.sleep(ORDERLY);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        System.err.println(
                "sluice: something did not end within " + ORDERLY.toSeconds() + " s and is left behind: " + hanging());
        System.err.flush();
        ProcessEnd.now(status);
    }

    /** The hooks that still run, and where they are. */
    private static String hanging() {
        StringBuilder all = new StringBuilder();
        Thread.getAllStackTraces().forEach((thread, stack) -> {
            if (thread.getName().startsWith(GOODBYE) && stack.length > 0) {
                all.append(all.isEmpty() ? "" : ", ").append(thread.getName());
                for (StackTraceElement e : stack) {
                    if (e.getClassName().startsWith("org.sluice.")) {
                        all.append(" in ").append(e.getClassName()).append('.').append(e.getMethodName());
                        break;
                    }
                }
            }
        });
        return all.isEmpty() ? "a library's exit handlers" : all.toString();
    }

    /** How the names of threads begin that end something in an orderly way. */
    public static final String GOODBYE = "goodbye";

    /** What this process will have exited with: what it asked for, or the signal that the JVM is handling. */
    private static int status() {
        int asked = STATUS.get();
        if (asked != UNKNOWN) {
            return asked;
        }
        for (Thread t : Thread.getAllStackTraces().keySet()) {
            switch (t.getName()) { // as the JVM names the thread that ends the process on a signal
                case "SIGINT handler" -> {
                    return SIGNALS + 2;
                }
                case "SIGTERM handler" -> {
                    return SIGNALS + 15;
                }
                case "SIGHUP handler" -> {
                    return SIGNALS + 1;
                }
                default -> {}
            }
        }
        return ExitCode.INTERNAL;
    }
}
