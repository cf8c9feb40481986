package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Waits for some of a few sockets to be ready: {@code poll} with a way to end the wait. For one thread, but {@link #wake} may come
 * from any.
 */
public final class PollSet implements AutoCloseable {
    // <poll.h>, <sys/eventfd.h>
    public static final short READ = 1;
    public static final short WRITE = 4;
    private static final int POLLFD_BYTES = 8;
    private static final int EFD_NONBLOCK_CLOEXEC = 0x800 | 0x80000;
    private static final int EINTR = 4;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MethodHandle EVENTFD = Libc.withErrno("eventfd", FunctionDescriptor.of(INT, INT, INT));
    private static final MethodHandle POLL =
            Libc.withErrno("poll", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, LONG, INT));
    private static final FunctionDescriptor TRANSFER = FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, LONG);
    private static final MethodHandle READ_CALL = Libc.function("read", TRANSFER);
    private static final MethodHandle WRITE_CALL = Libc.function("write", TRANSFER);
    private static final MethodHandle CLOSE = Libc.function("close", FunctionDescriptor.of(INT, INT));

    private final Arena arena = Arena.ofShared();
    private final MemorySegment callState = arena.allocate(Libc.CALL_STATE);
    private final MemorySegment one = arena.allocateFrom(LONG, 1);
    private final MemorySegment count = arena.allocate(LONG);
    private final MemorySegment watched;
    private final int most;
    private final int wakeFd;
    private int size = 1; // the first is the wake-up's own
    private boolean closed;

    /** @param most sockets at once */
    public PollSet(int most) throws LinuxException {
        this.most = most;
        this.watched = arena.allocate((most + 1L) * POLLFD_BYTES, 8);
        int fd;
        try {
            fd = (int) EVENTFD.invokeExact(callState, 0, EFD_NONBLOCK_CLOEXEC);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        if (fd < 0) {
            int errno = Libc.errno(callState);
            arena.close();
            throw new LinuxException("eventfd", errno);
        }
        this.wakeFd = fd;
        put(0, fd, READ);
    }

    /** Forgets all sockets. */
    public void clear() {
        size = 1;
    }

    /**
     * Watches one more socket in the next {@link #await}.
     *
     * @param events {@link #READ}, {@link #WRITE} or both
     * @return its place, for {@link #ready}; -1 where there is no room
     */
    public int add(TcpSocket socket, short events) {
        if (size > most) {
            return -1;
        }
        put(size, socket.fd(), events);
        return size++;
    }

    private void put(int place, int fd, short events) {
        watched.set(INT, (long) place * POLLFD_BYTES, fd);
        watched.set(ValueLayout.JAVA_SHORT, (long) place * POLLFD_BYTES + 4, events);
        watched.set(ValueLayout.JAVA_SHORT, (long) place * POLLFD_BYTES + 6, (short) 0);
    }

    /** Waits until a socket is ready or broken, {@link #wake} is called, or the time is over. @param millis -1 for no end */
    public void await(int millis) throws LinuxException {
        try {
            int n = (int) POLL.invokeExact(callState, watched, (long) size, millis);
            if (n < 0 && Libc.errno(callState) != EINTR) {
                throw new LinuxException("poll", Libc.errno(callState));
            }
            if (ready(0)) {
                long ignored = (long) READ_CALL.invokeExact(wakeFd, count, (long) Long.BYTES);
            }
        } catch (LinuxException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Whether the socket at this place was ready, or broken, when the last wait ended. */
    public boolean ready(int place) {
        return watched.get(ValueLayout.JAVA_SHORT, (long) place * POLLFD_BYTES + 6) != 0;
    }

    /** Ends the wait that is on or comes next. Any thread; nothing once closed. */
    public synchronized void wake() {
        if (!closed) {
            try {
                long ignored = (long) WRITE_CALL.invokeExact(wakeFd, one, (long) Long.BYTES);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }
    }

    /** By the thread that waits, or once it has ended. Idempotent. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            try {
                int ignored = (int) CLOSE.invokeExact(wakeFd);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
            arena.close();
        }
    }
}
