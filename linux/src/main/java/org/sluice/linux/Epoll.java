package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Waits for many descriptors at once. One thread waits; any may add and remove. */
@SuppressWarnings("restricted")
public final class Epoll implements AutoCloseable {
    /** There is something to read, or the end. */
    public static final int IN = 1;
    /** There is room to write. */
    public static final int OUT = 4;
    /** The other end is closed. Told whether it was asked for or not. */
    public static final int HANG_UP = 16;
    /** Told once when that changes, not for as long as it is so. */
    public static final int EDGE = 1 << 31;

    // <sys/epoll.h> of Linux
    private static final int EPOLL_CLOEXEC = 0x80000;
    private static final int CTL_ADD = 1;
    private static final int CTL_DEL = 2;
    private static final int CTL_MOD = 3;
    private static final int EINTR = 4;

    /** {@code struct epoll_event} is packed on x86-64 only. */
    private static final boolean PACKED = System.getProperty("os.arch", "").equals("amd64");

    private static final int EVENT_BYTES = PACKED ? 12 : 16;
    private static final int DATA = PACKED ? 4 : 8;
    private static final int MOST = 256;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final MethodHandle CREATE = Libc.withErrno("epoll_create1", FunctionDescriptor.of(INT, INT));
    private static final MethodHandle CONTROL =
            Libc.withErrno("epoll_ctl", FunctionDescriptor.of(INT, INT, INT, INT, ValueLayout.ADDRESS));
    private static final MethodHandle WAIT =
            Libc.withErrno("epoll_wait", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT, INT));

    /** Told of each descriptor that is ready. */
    public interface Ready {
        void on(long token, int events);
    }

    private final Descriptor descriptor;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment events = arena.allocate((long) EVENT_BYTES * MOST, 8);
    private final MemorySegment callState = arena.allocate(Libc.CALL_STATE);

    private Epoll(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    public static Epoll open() throws LinuxException {
        return Call.make((state, scratch) -> {
            int fd = (int) CREATE.invokeExact(state, EPOLL_CLOEXEC);
            Call.check(fd, state, "epoll_create1");
            return new Epoll(new Descriptor(fd));
        });
    }

    /** @param token what {@link #await} tells */
    public void add(int fd, int events, long token) throws LinuxException {
        control(CTL_ADD, fd, events, token);
    }

    public void change(int fd, int events, long token) throws LinuxException {
        control(CTL_MOD, fd, events, token);
    }

    /** Before the descriptor is closed. */
    public void remove(int fd) throws LinuxException {
        control(CTL_DEL, fd, 0, 0);
    }

    private void control(int operation, int fd, int events, long token) throws LinuxException {
        Call.make((state, scratch) -> {
            MemorySegment event = scratch.allocate(EVENT_BYTES, 8);
            event.set(INT, 0, events);
            event.set(ValueLayout.JAVA_LONG_UNALIGNED, DATA, token);
            int result = (int) CONTROL.invokeExact(state, descriptor.fd(), operation, fd, event);
            Call.check(result, state, "epoll_ctl");
            return true;
        });
    }

    /** @param millis how long to wait; 0 to look only, -1 for ever. @return how many were ready */
    public int await(int millis, Ready ready) throws LinuxException {
        int n;
        try {
            n = (int) WAIT.invokeExact(callState, descriptor.fd(), events, MOST, millis);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        if (n < 0) {
            if (Libc.errno(callState) == EINTR) {
                return 0;
            }
            throw new LinuxException("epoll_wait", Libc.errno(callState));
        }
        for (int i = 0; i < n; i++) {
            long at = (long) i * EVENT_BYTES;
            ready.on(events.get(ValueLayout.JAVA_LONG_UNALIGNED, at + DATA), events.get(INT, at));
        }
        return n;
    }

    /** Nobody may be waiting. */
    @Override
    public void close() {
        descriptor.close();
        arena.close();
    }
}
