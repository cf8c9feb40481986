package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Ends this process where the usual way may hang: in a shutdown hook, or in a library's own exit handlers. */
public final class ProcessEnd {
    private static final int SIGALRM = 14;
    private static final int CLOCK_MONOTONIC = 1;
    private static final int SIGNALS = 128;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MethodHandle EXIT = Libc.function("_exit", FunctionDescriptor.ofVoid(INT));
    private static final MethodHandle SIGNAL =
            Libc.function("signal", FunctionDescriptor.of(ValueLayout.ADDRESS, INT, ValueLayout.ADDRESS));
    private static final MethodHandle TIMER_CREATE =
            Libc.function("timer_create", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
    private static final MethodHandle TIMER_SETTIME = Libc.function(
            "timer_settime",
            FunctionDescriptor.of(INT, ValueLayout.ADDRESS, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));

    private ProcessEnd() {}

    /** Ends it now: no hooks, no handlers, nothing flushed. */
    public static void now(int status) {
        try {
            EXIT.invokeExact(status);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Lets the kernel end it after a time, when no code of this process may run any more. A status that stands for a signal (128 and
     * its number) is kept: that signal ends it. Another becomes 128 + SIGALRM.
     *
     * @param millis from now, above 0
     */
    public static void within(long millis, int status) {
        int signal = status > SIGNALS ? status - SIGNALS : SIGALRM;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(64, 8); // struct sigevent: value, signal, how: 0 is by the signal
            event.set(INT, 8, signal);
            MemorySegment timer = arena.allocate(ValueLayout.ADDRESS);
            MemorySegment time = arena.allocate(32, 8); // struct itimerspec: never again, then seconds and nanoseconds
            time.set(LONG, 16, millis / 1000);
            time.set(LONG, 24, millis % 1000 * 1_000_000);
            MemorySegment _ =
                    (MemorySegment) SIGNAL.invokeExact(signal, MemorySegment.NULL); // SIG_DFL: it ends the process
            int rc = (int) TIMER_CREATE.invokeExact(CLOCK_MONOTONIC, event, timer);
            if (rc == 0) {
                int _ = (int) TIMER_SETTIME.invokeExact(timer.get(ValueLayout.ADDRESS, 0), 0, time, MemorySegment.NULL);
            }
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
