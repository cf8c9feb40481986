package org.sluice.ncclnet;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * What one agent thread is doing in a plugin, kept in a line of native text: {@link ExitNotice} prints it when the plugin exits,
 * {@link CallWatch} when a call does not come back. The thread writes, others read.
 */
final class CallTrace {
    private static final int THREAD_BYTES = 16;
    private static final int CALL_AT = 2 + THREAD_BYTES + 1;
    private static final int PLACE_AT = CALL_AT + PluginCall.TEXT_BYTES + 1;
    private static final VarHandle STEPS;

    /** Bytes of a place, {@code eth1 channel 3 (send)}. */
    static final int PLACE_BYTES = 40;

    static {
        try {
            STEPS = MethodHandles.lookup().findVarHandle(CallTrace.class, "steps", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String thread;
    private final boolean agent;
    private final MemorySegment line;
    private long steps;

    CallTrace(String thread, boolean agent, MemorySegment line) {
        this.thread = thread;
        this.agent = agent;
        this.line = line;
    }

    /** A trace that no exit notice shows. */
    static CallTrace unseen(String thread, boolean agent) {
        return new CallTrace(thread, agent, Arena.ofAuto().allocateFrom(idleLine(thread)));
    }

    /** Makes the line this thread's, whoever had it before. */
    void clear() {
        byte[] idle = idleLine(thread).getBytes(StandardCharsets.US_ASCII);
        MemorySegment.copy(idle, 0, line, ValueLayout.JAVA_BYTE, 0, (int) Math.min(idle.length, line.byteSize()));
    }

    MemorySegment line() {
        return line;
    }

    /** Whether a call that does not come back stops a GPU's agent. */
    boolean isAgents() {
        return agent;
    }

    static String idleLine(String thread) {
        return "  %-16.16s %s%n".formatted(thread, "%-8s %-40s".formatted("-", ""));
    }

    /** A place as {@link #enter} takes it. */
    static MemorySegment place(String text) {
        byte[] padded = "%-40.40s".formatted(text).getBytes(StandardCharsets.US_ASCII);
        return Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, padded);
    }

    void enter(PluginCall call, MemorySegment place) {
        MemorySegment.copy(place, 0, line, PLACE_AT, PLACE_BYTES);
        line.set(ValueLayout.JAVA_LONG_UNALIGNED, CALL_AT, call.packed);
        STEPS.setOpaque(this, steps + 1);
    }

    void leave() {
        line.set(ValueLayout.JAVA_LONG_UNALIGNED, CALL_AT, PluginCall.NONE.packed);
        STEPS.setOpaque(this, steps + 1);
    }

    /** Counts calls and returns: odd while inside one. Any thread. */
    long steps() {
        return (long) STEPS.getOpaque(this);
    }

    String thread() {
        return thread;
    }

    /** {@code isend of eth1 channel 3}. Any thread; a snapshot. */
    String text() {
        return text(CALL_AT, PluginCall.TEXT_BYTES) + " of " + text(PLACE_AT, PLACE_BYTES);
    }

    private String text(int at, int bytes) {
        return new String(line.asSlice(at, bytes).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII).strip();
    }
}
