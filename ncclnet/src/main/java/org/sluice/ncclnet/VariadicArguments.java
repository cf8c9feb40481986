package org.sluice.ncclnet;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The variable arguments of a call by the System V ABI of x86-64, caught by a callback that declares the registers and stack
 * places they may lie in, and put together again as the {@code va_list} that {@code vsnprintf} takes (ABI, figure 3.34). For a
 * function with five named integer arguments: one integer register, eight floating ones and the stack are left.
 */
final class VariadicArguments {
    private static final int NAMED = 5;
    private static final int FLOATING = 8;
    private static final int STACK = 12;
    private static final int TEXT_BYTES = 1024;

    /** The arguments that the callback declares after the named ones. */
    static final List<MemoryLayout> LAYOUTS = Stream.of(
                    List.<MemoryLayout>of(ValueLayout.JAVA_LONG),
                    Collections.<MemoryLayout>nCopies(FLOATING, ValueLayout.JAVA_DOUBLE),
                    Collections.<MemoryLayout>nCopies(STACK, ValueLayout.JAVA_LONG))
            .flatMap(List::stream)
            .toList();

    // register save area: six integer registers of 8 bytes, eight floating ones of 16
    private static final long INTEGER_AREA = 6 * 8;
    private static final long SAVE_AREA = INTEGER_AREA + FLOATING * 16;

    private static final MethodHandle VSNPRINTF = Libc.function(
            "vsnprintf",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS));

    private final Arena arena;
    private final MemorySegment saved;
    private final MemorySegment overflow;

    VariadicArguments(Arena arena, long r9) {
        this.arena = arena;
        this.saved = arena.allocate(SAVE_AREA, 16);
        this.overflow = arena.allocate(STACK * 8L, 16);
        saved.set(ValueLayout.JAVA_LONG, NAMED * 8L, r9);
    }

    /** Whether this machine passes arguments this way. */
    static boolean known() {
        return System.getProperty("os.arch", "").equals("amd64")
                && System.getProperty("os.name", "").toLowerCase(Locale.ROOT).equals("linux");
    }

    /** Whether a format asks for no more than was caught, and writes nothing ({@code %n}). */
    static boolean suffice(String format) {
        int taken = 0;
        for (int i = 0; i < format.length(); i++) {
            if (format.charAt(i) != '%') {
                continue;
            }
            int end = i + 1;
            while (end < format.length() && "0123456789 +-#'.*hlqjzL".indexOf(format.charAt(end)) >= 0) {
                taken += format.charAt(end) == '*' ? 1 : format.charAt(end) == 'L' ? 2 : 0;
                end++;
            }
            if (end == format.length() || format.charAt(end) == 'n') {
                return false;
            }
            taken += format.charAt(end) == '%' ? 0 : 1;
            i = end;
        }
        return taken <= STACK;
    }

    void floating(double... registers) {
        for (int i = 0; i < FLOATING; i++) {
            saved.set(ValueLayout.JAVA_DOUBLE, INTEGER_AREA + i * 16L, registers[i]);
        }
    }

    void stack(long... places) {
        for (int i = 0; i < STACK; i++) {
            overflow.set(ValueLayout.JAVA_LONG, i * 8L, places[i]);
        }
    }

    String format(long format) throws Throwable {
        // struct { unsigned gp_offset; unsigned fp_offset; void *overflow_arg_area; void *reg_save_area; }
        MemorySegment list = arena.allocate(24, 8);
        list.set(ValueLayout.JAVA_INT, 0, NAMED * 8);
        list.set(ValueLayout.JAVA_INT, 4, (int) INTEGER_AREA);
        list.set(ValueLayout.JAVA_LONG, 8, overflow.address());
        list.set(ValueLayout.JAVA_LONG, 16, saved.address());
        MemorySegment text = arena.allocate(TEXT_BYTES);
        int ignored = (int) VSNPRINTF.invokeExact(text, (long) TEXT_BYTES, format, list);
        return text.getString(0);
    }
}
