package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.junit.jupiter.api.Test;

/** The log callback, called as C calls it. */
@SuppressWarnings("restricted")
class PluginLogTest {
    private static final int WARN = 2;

    private static final MethodHandle VARIADIC = Linker.nativeLinker()
            .downcallHandle(
                    FunctionDescriptor.ofVoid(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_DOUBLE,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_DOUBLE,
                            ValueLayout.JAVA_INT),
                    Linker.Option.firstVariadicArg(5));

    private static void say(PluginLog log, String format) {
        try (Arena arena = Arena.ofConfined()) {
            VARIADIC.invokeExact(
                    MemorySegment.ofAddress(log.address()),
                    WARN,
                    16L,
                    arena.allocateFrom("net.cc"),
                    7,
                    arena.allocateFrom(format),
                    42,
                    arena.allocateFrom("eth1"),
                    0.5,
                    1L << 40,
                    arena.allocateFrom("twice"),
                    -2.25,
                    -1);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void argumentsAreFormattedWhereTheAbiIsKnown() {
        assumeTrue(VariadicArguments.known(), "not x86-64 Linux");
        PluginLog log = new PluginLog("test", PluginLog.Form.FULL);
        say(log, "%d devices on %s, %.2f of %ld, %s %5.2f %d%%");
        assertThat(log.lastWarning()).isEqualTo("42 devices on eth1, 0.50 of 1099511627776, twice -2.25 -1%");
    }

    @Test
    void formatsThatWriteOrWantTooMuchStayAsTheyAre() {
        PluginLog log = new PluginLog("test", PluginLog.Form.FULL);
        say(log, "written: %n");
        assertThat(log.lastWarning()).isEqualTo("written: %n");
        say(log, "%d".repeat(20));
        assertThat(log.lastWarning()).isEqualTo("%d".repeat(20));
    }

    @Test
    void plainReliesOnNothing() {
        PluginLog log = new PluginLog("test", PluginLog.Form.PLAIN);
        say(log, "%d devices on %s");
        assertThat(log.lastWarning()).isEqualTo("%d devices on %s");
    }

    @Test
    void offSaysNothing() {
        PluginLog log = new PluginLog("test", PluginLog.Form.OFF);
        say(log, "%d devices on %s");
        assertThat(log.lastWarning()).isEmpty();
    }
}
