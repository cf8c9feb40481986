package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * How late the kernel may wake the calling thread from a timed wait, to save wake-ups: 50 us by default, which makes of
 * {@code parkNanos(1000)} some 70 us. Belongs to the operating system thread.
 */
public final class TimerSlack {
    // <linux/prctl.h>
    private static final int PR_SET_TIMERSLACK = 29;
    private static final int PR_GET_TIMERSLACK = 30;

    private static final MethodHandle PRCTL = Libc.variadicWithErrno(
            "prctl", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG), 1);

    private TimerSlack() {}

    /** Sets the calling thread's. @param nanos at least 1 */
    public static void set(long nanos) throws LinuxException {
        if (nanos < 1) {
            throw new IllegalArgumentException("a timer slack is at least 1 ns, not " + nanos);
        }
        prctl(PR_SET_TIMERSLACK, nanos, "PR_SET_TIMERSLACK");
    }

    /** The calling thread's, in nanoseconds. */
    public static long get() throws LinuxException {
        return prctl(PR_GET_TIMERSLACK, 0, "PR_GET_TIMERSLACK");
    }

    private static int prctl(int option, long value, String name) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment callState = arena.allocate(Libc.CALL_STATE);
            int rc;
            try {
                rc = (int) PRCTL.invokeExact(callState, option, value);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
            if (rc < 0) {
                throw new LinuxException(name, Libc.errno(callState));
            }
            return rc;
        }
    }
}
