package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** A counter in the kernel that {@link Epoll} and {@code poll} can wait for, in another process too. Any thread may use it. */
@SuppressWarnings("restricted")
public final class EventFd implements AutoCloseable {
    private static final int EFD_NONBLOCK_CLOEXEC = 0x800 | 0x80000;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final FunctionDescriptor MOVE =
            FunctionDescriptor.of(ValueLayout.JAVA_LONG, INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG);
    private static final MethodHandle EVENTFD = Libc.withErrno("eventfd", FunctionDescriptor.of(INT, INT, INT));
    private static final MethodHandle READ = Libc.function("read", MOVE);
    private static final MethodHandle WRITE = Libc.function("write", MOVE);

    /** Shared by all: what is read is of no interest, and never the same as what is written. */
    private static final MemorySegment ONE = Arena.global().allocateFrom(ValueLayout.JAVA_LONG, 1);

    private static final MemorySegment READ_HERE = Arena.global().allocate(ValueLayout.JAVA_LONG);

    private final Descriptor descriptor;

    private EventFd(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    public static EventFd open() throws LinuxException {
        return Call.make((state, scratch) -> {
            int fd = (int) EVENTFD.invokeExact(state, 0, EFD_NONBLOCK_CLOEXEC);
            Call.check(fd, state, "eventfd");
            return new EventFd(new Descriptor(fd));
        });
    }

    /** Takes over a descriptor that another process made. */
    public static EventFd of(Descriptor descriptor) {
        return new EventFd(descriptor);
    }

    public int fd() {
        return descriptor.fd();
    }

    /** Wakes who waits. Never blocks: a counter that is full wakes too. */
    public void signal() {
        try {
            long ignored = (long) WRITE.invokeExact(descriptor.fd(), ONE, 8L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Takes all signals so far. Never blocks. */
    public void clear() {
        try {
            long ignored = (long) READ.invokeExact(descriptor.fd(), READ_HERE, 8L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
