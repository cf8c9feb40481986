package org.sluice.ncclnet;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Names an exit that came from a plugin. Plugins call {@code exit} when they give up (TCPX does on most data-path faults), which
 * ends the JVM without its shutdown hooks. What {@code exit} does do is flush C streams: so a stream to stderr holds, unflushed,
 * what is to be said, and a hook throws it away when the JVM ends in order. No code runs in the dying process, and the lines
 * {@link CallTrace} keeps up to date there cost an agent a few stores a call.
 */
final class ExitNotice {
    private static final String HEAD = """

            sluice: the process ended in native code. Where the JVM has said above that it detected a fatal error, that was a
            native crash, and hs_err_pidPID.log has the stack. Else native code called exit(): a NCCL net plugin ends the whole
            process that way when it gives up.
            What each GPU's thread was doing in the plugin then ("-": it was elsewhere):
            """;
    private static final String WARNING = "The plugin's last warning: ";
    private static final int WARNING_BYTES = 240;
    private static final int BUFFER_BYTES = 16 << 10;
    private static final int MOST_LINES = 96;

    private static final int STDERR = 2;

    /** _IOFBF of stdio.h. */
    private static final int FULLY_BUFFERED = 0;

    private static final MemorySegment BUFFER = Arena.global().allocate(BUFFER_BYTES, 64);
    private static final Map<Long, CallTrace> TRACES = new HashMap<>();
    private static long stream;
    private static final Deque<MemorySegment> FREE_LINES = new ArrayDeque<>();
    private static int lines;
    private static int length;
    private static int warningAt = -1;
    private static int opened;

    private ExitNotice() {}

    /** A transport is open: an exit from now on is worth a word. */
    static synchronized void open() {
        if (opened++ == 0) {
            if (stream == 0) {
                stream = Stdio.open(BUFFER);
                Runtime.getRuntime().addShutdownHook(new Thread(ExitNotice::orderly, "nccl-net-orderly-exit"));
            }
            length = 0;
            append(HEAD.replace("PID", String.valueOf(ProcessHandle.current().pid())));
            append(WARNING);
            warningAt = length;
            append("none".concat(" ".repeat(WARNING_BYTES - 4)));
            append("\n");
        }
    }

    static synchronized void close() {
        if (--opened == 0) {
            TRACES.clear();
            FREE_LINES.clear();
            lines = 0;
            warningAt = -1;
            Stdio.forget(stream);
        }
    }

    private static synchronized void orderly() {
        Stdio.forget(stream);
        warningAt = -1;
    }

    /** Where this thread says what it is doing. @param agent whether a call that does not come back stops a GPU's agent */
    static synchronized CallTrace trace(boolean agent) {
        Thread thread = Thread.currentThread();
        return TRACES.computeIfAbsent(thread.threadId(), id -> {
            MemorySegment free = FREE_LINES.poll();
            if (free != null) {
                CallTrace again = new CallTrace(thread.getName(), agent, free);
                again.clear();
                return again;
            }
            if (lines >= MOST_LINES) {
                return CallTrace.unseen(thread.getName(), agent);
            }
            lines++;
            int at = length;
            append(CallTrace.idleLine(thread.getName()));
            return new CallTrace(thread.getName(), agent, BUFFER.asSlice(at, length - at));
        });
    }

    /** The thread that asked for it ends: its line serves another. */
    static synchronized void giveBack(CallTrace trace) {
        if (TRACES.remove(Thread.currentThread().threadId(), trace)
                && BUFFER.asOverlappingSlice(trace.line()).isPresent()) {
            FREE_LINES.add(trace.line());
        }
    }

    static synchronized List<CallTrace> traces() {
        return List.copyOf(TRACES.values());
    }

    static synchronized void warning(String text) {
        if (warningAt >= 0) {
            byte[] bytes = text.replace('\n', ' ').getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i < WARNING_BYTES; i++) {
                BUFFER.set(ValueLayout.JAVA_BYTE, warningAt + i, i < bytes.length ? bytes[i] : (byte) ' ');
            }
        }
    }

    private static void append(String text) {
        Stdio.append(stream, text);
        length += text.getBytes(StandardCharsets.UTF_8).length;
    }

    /** The C streams that this takes. */
    private static final class Stdio {
        private static final MethodHandle DUP =
                Libc.function("dup", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        private static final MethodHandle FDOPEN = Libc.function(
                "fdopen", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        private static final MethodHandle SETVBUF = Libc.function(
                "setvbuf",
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.ADDRESS,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_LONG));
        private static final MethodHandle FPUTS = Libc.function(
                "fputs", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
        private static final MethodHandle FPURGE =
                Libc.function("__fpurge", FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG));

        static long open(MemorySegment buffer) {
            try (Arena arena = Arena.ofConfined()) {
                int copy = (int) DUP.invokeExact(STDERR);
                long made = (long) FDOPEN.invokeExact(copy, arena.allocateFrom("a"));
                int ignored = (int) SETVBUF.invokeExact(made, buffer, FULLY_BUFFERED, buffer.byteSize());
                return made;
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }

        static void append(long stream, String text) {
            try (Arena arena = Arena.ofConfined()) {
                int ignored = (int) FPUTS.invokeExact(arena.allocateFrom(text), stream);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }

        static void forget(long stream) {
            try {
                FPURGE.invokeExact(stream);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }
    }
}
