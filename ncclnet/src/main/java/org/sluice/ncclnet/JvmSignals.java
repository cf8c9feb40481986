package org.sluice.ncclnet;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the JVM's signal handlers over a call of foreign code. Libraries below a plugin (UCX) take SIGSEGV and others for crash
 * reports of their own, when they are loaded or initialised; but to the JVM a SIGSEGV is how null checks and safepoints work, and
 * without its handler the next one ends the process.
 */
final class JvmSignals {
    private static final Logger log = LoggerFactory.getLogger(JvmSignals.class);

    private static final MethodHandle SIGACTION = Libc.function(
            "sigaction",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));

    /** glibc's struct sigaction has 152 bytes, of which the first 8 are the handler. */
    private static final long ACTION_BYTES = 256;

    /** Those that HotSpot handles, by their Linux numbers. */
    private enum Taken {
        SIGHUP(1),
        SIGINT(2),
        SIGQUIT(3),
        SIGILL(4),
        SIGTRAP(5),
        SIGBUS(7),
        SIGFPE(8),
        SIGSEGV(11),
        SIGUSR2(12),
        SIGPIPE(13),
        SIGTERM(15),
        SIGXFSZ(25);

        final int number;

        Taken(int number) {
            this.number = number;
        }
    }

    private final String whose;
    private final Arena arena = Arena.ofConfined();
    private final Map<Taken, MemorySegment> before = new EnumMap<>(Taken.class);

    /** @param whose code is called, for the log */
    JvmSignals(String whose) {
        this.whose = whose;
        for (Taken t : Taken.values()) {
            MemorySegment action = arena.allocate(ACTION_BYTES, 16);
            sigaction(t, MemorySegment.NULL, action);
            before.put(t, action);
        }
    }

    /** Gives the JVM back what was taken from it. Once. */
    void giveBack() {
        List<Taken> given = new ArrayList<>();
        MemorySegment now = arena.allocate(ACTION_BYTES, 16);
        before.forEach((t, action) -> {
            sigaction(t, MemorySegment.NULL, now);
            if (now.get(ValueLayout.JAVA_LONG, 0) != action.get(ValueLayout.JAVA_LONG, 0)) {
                sigaction(t, action, MemorySegment.NULL);
                given.add(t);
            }
        });
        arena.close();
        if (!given.isEmpty()) {
            log.info("{}: took over {}, which the JVM has back", whose, given);
        }
    }

    private static void sigaction(Taken t, MemorySegment set, MemorySegment get) {
        try {
            int ignored = (int) SIGACTION.invokeExact(t.number, set, get);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
