package org.sluice.linux;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Objects;

/**
 * A descriptor that this process was given when it was started, as a stream: Java itself only knows the first three. What cannot be
 * written is an {@link IOException} with the kernel's reason. One thread at a time; closing it leaves the descriptor open.
 */
public final class DescriptorOutput extends OutputStream {
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;
    private static final short POLLOUT = 4;
    private static final long AT_ONCE = 64 << 10;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MethodHandle WRITE =
            Libc.withErrno("write", FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, LONG));
    private static final MethodHandle POLL =
            Libc.withErrno("poll", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, LONG, INT));

    private final int fd;

    /** @param fd is not checked here: writing tells */
    public DescriptorOutput(int fd) {
        this.fd = fd;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    /** Returns when all is written; waits for a reader that is slow. */
    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment callState = arena.allocate(Libc.CALL_STATE);
            MemorySegment buffer = arena.allocate(Math.min(length, AT_ONCE) + 1);
            int written = 0;
            while (written < length) {
                long next = Math.min(length - written, AT_ONCE);
                MemorySegment.copy(bytes, offset + written, buffer, ValueLayout.JAVA_BYTE, 0, (int) next);
                written += (int) write(callState, buffer, next);
            }
        }
    }

    private long write(MemorySegment callState, MemorySegment buffer, long length) throws IOException {
        try {
            long rc = (long) WRITE.invokeExact(callState, fd, buffer, length);
            if (rc >= 0) {
                return rc;
            }
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        int errno = Libc.errno(callState);
        if (errno == EAGAIN) {
            awaitRoom(callState);
        } else if (errno != EINTR) {
            throw new IOException(Libc.text(errno));
        }
        return 0;
    }

    /** Who shares the descriptor may have made it one that does not wait. */
    private void awaitRoom(MemorySegment callState) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment poll = arena.allocate(8, 4);
            poll.set(INT, 0, fd);
            poll.set(ValueLayout.JAVA_SHORT, 4, POLLOUT);
            int _ = (int) POLL.invokeExact(callState, poll, 1L, 1000);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
