package org.sluice.ncclnet;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * What a plugin has to say, through SLF4J: the {@code ncclDebugLogger_t} that its init takes. As in NCCL, the variable
 * {@code NCCL_DEBUG} (VERSION, WARN, INFO, TRACE; WARN when unset) says how much is let through. Lines come from any thread,
 * the plugin's own included, and by the hundred thousand from some: no more than {@link #MOST_PER_SECOND} are let through.
 */
final class PluginLog {
    private static final Logger log = LoggerFactory.getLogger("org.sluice.ncclnet.plugin");

    /** How the callback's variable arguments are treated. */
    enum Form {
        /** Formatted where the machine's ABI is known (x86-64 System V), the bare format string elsewhere. */
        FULL,
        /** The bare format string: relies on nothing. */
        PLAIN,
        /** Nothing is logged. */
        OFF
    }

    private static final int MOST_PER_SECOND = 50;
    private static final long SECOND = 1_000_000_000L;

    // ncclDebugLogLevel of nccl_common.h
    private static final int VERSION = 1;
    private static final int WARN = 2;
    private static final int INFO = 3;
    private static final int ABORT = 4;
    private static final int TRACE = 5;

    private final String plugin;
    private final long address;
    private final AtomicLong second = new AtomicLong();
    private final AtomicInteger inSecond = new AtomicInteger();
    private volatile int threshold;
    private volatile String lastWarning = "";

    PluginLog(String plugin, Form form) {
        this.plugin = plugin;
        this.threshold = threshold(NativeEnvironment.get("NCCL_DEBUG"));
        this.address = stub(form);
    }

    /** The function pointer that init takes. */
    long address() {
        return address;
    }

    /** The plugin's last warning, for messages about what failed; empty when there was none. */
    String lastWarning() {
        return lastWarning;
    }

    private static int threshold(@org.jspecify.annotations.Nullable String debug) {
        return switch (debug == null ? "" : debug.toUpperCase(Locale.ROOT)) {
            case "VERSION" -> VERSION;
            case "INFO" -> INFO;
            case "ABORT" -> ABORT;
            case "TRACE" -> TRACE;
            default -> WARN;
        };
    }

    /** The stub lives for ever: plugins keep threads that may call it after everything is closed. */
    @SuppressWarnings("restricted")
    private long stub(Form form) {
        Linker linker = Linker.nativeLinker();
        if (form == Form.OFF) {
            // takes no argument and does nothing: costs no way into the JVM
            return linker.defaultLookup().findOrThrow("getpid").address();
        }
        boolean full = form == Form.FULL && VariadicArguments.known();
        List<MemoryLayout> arguments = new ArrayList<>(List.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG));
        if (full) {
            arguments.addAll(VariadicArguments.LAYOUTS);
        }
        FunctionDescriptor descriptor = FunctionDescriptor.ofVoid(arguments.toArray(MemoryLayout[]::new));
        try {
            MethodHandle target = MethodHandles.lookup().bind(this, full ? "full" : "plain", descriptor.toMethodType());
            return linker.upcallStub(target, descriptor, Arena.global()).address();
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("callback", e);
        }
    }

    private boolean wanted(int level) {
        return level <= threshold || level == ABORT;
    }

    /** Called by the plugin. An exception would end the JVM: none gets out. */
    @SuppressWarnings({"UnusedMethod", "UnusedVariable"}) // bound by name
    private void plain(int level, long flags, long file, int line, long format) {
        if (!wanted(level)) {
            return;
        }
        try {
            say(level, Libc.text(format));
        } catch (Throwable e) {
            // there is nobody to tell
        }
    }

    @SuppressWarnings({"UnusedMethod", "UnusedVariable", "TooManyParameters"
    }) // bound by name; the registers and stack of a variadic call
    private void full(
            int level,
            long flags,
            long file,
            int line,
            long format,
            long r9,
            double xmm0,
            double xmm1,
            double xmm2,
            double xmm3,
            double xmm4,
            double xmm5,
            double xmm6,
            double xmm7,
            long s0,
            long s1,
            long s2,
            long s3,
            long s4,
            long s5,
            long s6,
            long s7,
            long s8,
            long s9,
            long s10,
            long s11) {
        if (!wanted(level)) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            String raw = Libc.text(format);
            if (!VariadicArguments.suffice(raw)) {
                say(level, raw);
                return;
            }
            VariadicArguments arguments = new VariadicArguments(arena, r9);
            arguments.floating(xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7);
            arguments.stack(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11);
            say(level, arguments.format(format));
        } catch (Throwable e) {
            // there is nobody to tell
        }
    }

    private void say(int level, String text) {
        String line = text.strip();
        if (level == WARN || level == ABORT) {
            lastWarning = line;
            ExitNotice.warning(line);
        }
        long now = System.nanoTime() / SECOND;
        long last = second.get();
        if (last != now && second.compareAndSet(last, now)) {
            int dropped = inSecond.getAndSet(0) - MOST_PER_SECOND;
            if (dropped > 0) {
                log.warn("{}: {} more lines were not logged", plugin, dropped);
            }
        }
        if (inSecond.incrementAndGet() <= MOST_PER_SECOND) {
            log.atLevel(level(level)).log("{}: {}", plugin, line);
        }
    }

    private static Level level(int level) {
        return switch (level) {
            case WARN -> Level.WARN;
            case ABORT -> Level.ERROR;
            case TRACE -> Level.DEBUG;
            default -> Level.INFO;
        };
    }
}
