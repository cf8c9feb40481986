package org.sluice.linux;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * Keeps the process's stdout for Java: native code that writes to descriptor 1 (libraries under a plugin do) reaches stderr instead, and a
 * result on stdout stays alone there.
 */
public final class OwnStdout {
    private static final int STDOUT = 1;
    private static final int STDERR = 2;
    private static final int EINTR = 4;

    private static final MethodHandle DUP =
            Libc.withErrno("dup", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    private static final MethodHandle DUP2 = Libc.withErrno(
            "dup2", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    private static final MethodHandle WRITE = Libc.withErrno(
            "write",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));

    private static boolean kept;

    private OwnStdout() {}

    /**
     * From now on {@link System#out} is what descriptor 1 was, and descriptor 1 is stderr. To be called before native code is loaded that
     * may write there. Idempotent; where a descriptor cannot be had, everything stays as it was.
     */
    public static synchronized void keep() {
        if (kept) {
            return;
        }
        System.out.flush();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(Libc.CALL_STATE);
            int own = (int) DUP.invokeExact(state, STDOUT);
            if (own < 0) {
                return;
            }
            if ((int) DUP2.invokeExact(state, STDERR, STDOUT) < 0) {
                return;
            }
            kept = true;
            System.setOut(new PrintStream(new Descriptor(own), true, StandardCharsets.UTF_8));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Writes to a descriptor that Java knows no other way to. */
    private static final class Descriptor extends OutputStream {
        private static final int MOST = 64 << 10;

        private final int descriptor;
        private final MemorySegment state = Arena.global().allocate(Libc.CALL_STATE);
        private final MemorySegment buffer = Arena.global().allocate(MOST);

        Descriptor(int descriptor) {
            this.descriptor = descriptor;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public synchronized void write(byte[] bytes, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, bytes.length);
            int at = offset;
            while (at < offset + length) {
                int n = Math.min(MOST, offset + length - at);
                MemorySegment.copy(bytes, at, buffer, ValueLayout.JAVA_BYTE, 0, n);
                at += writeSome(n);
            }
        }

        private int writeSome(int n) throws IOException {
            try {
                long written = (long) WRITE.invokeExact(state, descriptor, buffer, (long) n);
                if (written < 0 && Libc.errno(state) != EINTR) {
                    throw new IOException("stdout: " + Libc.text(Libc.errno(state)));
                }
                return (int) Math.max(0, written);
            } catch (IOException | RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }
    }
}
