package org.sluice.ncclnet;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.junit.jupiter.api.Test;

/** A library that takes signals over must not take the JVM's null checks with them. */
class JvmSignalsTest {
    private static final int SIGSEGV = 11;
    private static final int SIGXFSZ = 25;
    private static final MethodHandle SIGACTION = Libc.function(
            "sigaction",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));

    @Test
    void aPluginThatTakesSignalsOverLeavesTheJvmItsOwn() throws Exception {
        long jvms = handler(SIGSEGV);
        FakePlugin plugin = FakePlugin.plain(7).set("SIGNALS", "taken");
        try (var open = new NcclNetTransportProvider().open(plugin.transportConfig())) {
            assertThat(handler(SIGSEGV)).isEqualTo(jvms);
            assertThat(open.devices()).isNotEmpty();
        }
    }

    /** Code that calls another's init sees the handler change, and has it back afterwards. */
    @Test
    void whatWasTakenIsGivenBackAtTheEnd() {
        long jvms = handler(SIGXFSZ);
        JvmSignals signals = new JvmSignals("test");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ignore = arena.allocate(256, 16);
            ignore.set(ValueLayout.JAVA_LONG, 0, 1); // SIG_IGN, of a signal that nothing here raises
            call(SIGXFSZ, ignore, MemorySegment.NULL);
            assertThat(handler(SIGXFSZ)).isEqualTo(1);
        } finally {
            signals.giveBack();
        }
        assertThat(handler(SIGXFSZ)).isEqualTo(jvms);
    }

    private static long handler(int signal) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment action = arena.allocate(256, 16);
            call(signal, MemorySegment.NULL, action);
            return action.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    private static void call(int signal, MemorySegment set, MemorySegment get) {
        try {
            int result = (int) SIGACTION.invokeExact(signal, set, get);
            assertThat(result).isZero();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
