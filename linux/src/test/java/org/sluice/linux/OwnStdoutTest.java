package org.sluice.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What native code writes to descriptor 1 does not get among what Java has to say on stdout. */
class OwnStdoutTest {
    @Test
    @Timeout(60)
    void nativeCodeWritesToStderr(@TempDir Path folder) throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        Process p = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path") + ":" + System.getProperty("jdk.module.path", ""),
                        Chatty.class.getName())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        assertThat(p.waitFor(50, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(out)).isEqualTo("before\nresult ü\n");
        assertThat(Files.readString(err)).contains("native");
    }

    /** Writes as a library does. */
    static final class Chatty {
        private Chatty() {}

        @SuppressWarnings("restricted")
        public static void main(String[] args) throws Throwable {
            System.out.println("before");
            OwnStdout.keep();
            OwnStdout.keep();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment text = arena.allocateFrom("native\n");
                Linker linker = Linker.nativeLinker();
                long ignored = (long) linker.downcallHandle(
                                linker.defaultLookup().findOrThrow("write"),
                                FunctionDescriptor.of(
                                        ValueLayout.JAVA_LONG,
                                        ValueLayout.JAVA_INT,
                                        ValueLayout.ADDRESS,
                                        ValueLayout.JAVA_LONG))
                        .invokeExact(1, text, text.byteSize() - 1);
            }
            System.out.write("result ü\n".getBytes(StandardCharsets.UTF_8));
            System.out.flush();
        }
    }
}
