package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A Unix stream socket by its descriptor, because the JDK's passes no descriptors and tells no process number. No call waits.
 *
 * <p>One thread at a time, but {@link #send} may be called by another than {@link #receive}.
 */
@SuppressWarnings("restricted")
public final class UnixSocket implements AutoCloseable {
    // <sys/socket.h>, <sys/un.h>, <fcntl.h> and <errno.h> of Linux, the same on x86-64 and AArch64
    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0x800 | 0x80000;
    private static final int SOCK_NONBLOCK_CLOEXEC = 0x800 | 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;
    private static final int SO_PEERCRED = 17;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_CTRUNC = 8;
    private static final int MSG_CMSG_CLOEXEC = 0x40000000;
    private static final int SHUT_RDWR = 2;
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;
    private static final int ECONNABORTED = 103;

    /** The answer of {@link #connect} where nobody listens. */
    public static final int CONNECTION_REFUSED = 111;

    private static final long TURN_NANOS = 1_000_000_000L;
    private static final long TRY_NANOS = 1_000_000L;

    /** {@code sun_path}, its final zero included. */
    private static final int PATH_BYTES = 108;

    private static final int ADDRESS_BYTES = 2 + PATH_BYTES;
    private static final int MSGHDR_BYTES = 56;
    private static final int CMSG_HEAD = 16;
    private static final int IOVEC_BYTES = 16;

    /** Most descriptors that the kernel lets one message carry. */
    public static final int MOST_DESCRIPTORS = 253;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MethodHandle SOCKET = Libc.withErrno("socket", FunctionDescriptor.of(INT, INT, INT, INT));
    private static final FunctionDescriptor FD_ADDRESS_INT = FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT);
    private static final MethodHandle BIND = Libc.withErrno("bind", FD_ADDRESS_INT);
    private static final MethodHandle CONNECT = Libc.withErrno("connect", FD_ADDRESS_INT);
    private static final MethodHandle LISTEN = Libc.withErrno("listen", FunctionDescriptor.of(INT, INT, INT));
    private static final MethodHandle ACCEPT =
            Libc.withErrno("accept4", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, INT));
    private static final MethodHandle GETSOCKOPT = Libc.withErrno(
            "getsockopt", FunctionDescriptor.of(INT, INT, INT, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
    private static final FunctionDescriptor MESSAGE = FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, INT);
    private static final MethodHandle RECVMSG = Libc.withErrno("recvmsg", MESSAGE);
    private static final MethodHandle SENDMSG = Libc.withErrno("sendmsg", MESSAGE);
    private static final MethodHandle SHUTDOWN = Libc.function("shutdown", FunctionDescriptor.of(INT, INT, INT));

    /** Who is at the other end, as this process's namespaces number it; 0 for a process that is not visible here. */
    public record Credentials(int pid, int uid, int gid) {}

    /** What came: bytes, and the descriptors with them, which now belong to the caller. {@code bytes} is 0 for "nothing now". */
    public record Received(int bytes, List<Descriptor> descriptors, boolean ended) {}

    private final Descriptor descriptor;

    private UnixSocket(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /** Takes over a descriptor that another made, such as a service manager. */
    public static UnixSocket of(int fd) {
        return new UnixSocket(new Descriptor(fd));
    }

    private static UnixSocket open() throws LinuxException {
        return Call.make((state, scratch) -> {
            int fd = (int) SOCKET.invokeExact(state, AF_UNIX, SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
            Call.check(fd, state, "socket");
            return of(fd);
        });
    }

    /** Listens at a path that does not exist yet; the process's umask says who may connect. */
    public static UnixSocket listen(Path path, int backlog) throws LinuxException {
        UnixSocket socket = open();
        try {
            Call.make((state, scratch) -> {
                int result = (int) BIND.invokeExact(state, socket.fd(), address(scratch, path), ADDRESS_BYTES);
                Call.check(result, state, "bind to " + path);
                result = (int) LISTEN.invokeExact(state, socket.fd(), backlog);
                Call.check(result, state, "listen at " + path);
                return true;
            });
            return socket;
        } catch (LinuxException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /**
     * Connects to who listens at a path. Where more wait there than it lets wait (many come at once), this waits up to a second for
     * its turn: the kernel tells a socket that does not block only that it is not its turn.
     *
     * @throws LinuxException when nobody listens there ({@link #CONNECTION_REFUSED}), or it is not its turn within a second
     */
    public static UnixSocket connect(Path path) throws LinuxException {
        UnixSocket socket = open();
        try {
            long end = System.nanoTime() + TURN_NANOS;
            while (!tryConnect(socket, path, System.nanoTime() - end >= 0)) {
                LockSupport.parkNanos(TRY_NANOS);
            }
            return socket;
        } catch (LinuxException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /** Whether it is connected; with {@code last} set a full queue is an error. */
    private static boolean tryConnect(UnixSocket socket, Path path, boolean last) throws LinuxException {
        return Call.make((state, scratch) -> {
            int result = (int) CONNECT.invokeExact(state, socket.fd(), address(scratch, path), ADDRESS_BYTES);
            if (!last && result < 0 && Libc.errno(state) == EAGAIN) {
                return false;
            }
            Call.check(result, state, "connect to " + path);
            return true;
        });
    }

    private static MemorySegment address(Arena scratch, Path path) {
        byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
        if (name.length >= PATH_BYTES) {
            throw new IllegalArgumentException("the path of a Unix socket has at most 107 bytes: " + path);
        }
        MemorySegment s = scratch.allocate(ADDRESS_BYTES, 2);
        s.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(name, 0, s, ValueLayout.JAVA_BYTE, 2, name.length);
        return s;
    }

    /** The next who has connected; null for nobody. */
    public @Nullable UnixSocket accept() throws LinuxException {
        int accepted = Call.make((state, scratch) -> {
            int result = (int)
                    ACCEPT.invokeExact(state, fd(), MemorySegment.NULL, MemorySegment.NULL, SOCK_NONBLOCK_CLOEXEC);
            int errno = result < 0 ? Libc.errno(state) : 0;
            if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) {
                return -1;
            }
            Call.check(result, state, "accept");
            return result;
        });
        return accepted < 0 ? null : of(accepted);
    }

    public Credentials peer() throws LinuxException {
        return Call.make((state, scratch) -> {
            MemorySegment value = scratch.allocate(12, 4);
            int result = (int)
                    GETSOCKOPT.invokeExact(state, fd(), SOL_SOCKET, SO_PEERCRED, value, scratch.allocateFrom(INT, 12));
            Call.check(result, state, "credentials of a Unix socket");
            return new Credentials(value.get(INT, 0), value.get(INT, 4), value.get(INT, 8));
        });
    }

    /**
     * Takes what is there. Descriptors that did not fit are closed by the kernel.
     *
     * @throws LinuxException when the connection is broken, or when descriptors were lost
     */
    public Received receive(MemorySegment into) throws LinuxException {
        return Call.make((state, scratch) -> {
            int room = CMSG_HEAD + MOST_DESCRIPTORS * Integer.BYTES + 4;
            MemorySegment control = scratch.allocate(room, 8);
            MemorySegment message = message(scratch, into, control, room);
            long n = (long) RECVMSG.invokeExact(state, fd(), message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
            if (n < 0) {
                int errno = Libc.errno(state);
                if (errno == EAGAIN || errno == EINTR) {
                    return new Received(0, List.of(), false);
                }
                throw new LinuxException("receive from a Unix socket", errno);
            }
            List<Descriptor> descriptors = descriptors(control, message.get(LONG, 40));
            if ((message.get(INT, 48) & MSG_CTRUNC) != 0) {
                descriptors.forEach(Descriptor::close);
                throw new LinuxException("receive from a Unix socket: more descriptors than fit", 0);
            }
            return new Received((int) n, descriptors, n == 0 && into.byteSize() > 0);
        });
    }

    private static List<Descriptor> descriptors(MemorySegment control, long bytes) {
        List<Descriptor> found = new ArrayList<>();
        long at = 0;
        while (at + CMSG_HEAD <= bytes) {
            long length = control.get(LONG, at);
            if (length < CMSG_HEAD || length > bytes - at) {
                break;
            }
            if (control.get(INT, at + 8) == SOL_SOCKET && control.get(INT, at + 12) == SCM_RIGHTS) {
                for (long d = at + CMSG_HEAD; d + Integer.BYTES <= at + length; d += Integer.BYTES) {
                    found.add(new Descriptor(control.get(INT, d)));
                }
            }
            at += length + 7 & ~7L;
        }
        return List.copyOf(found);
    }

    /** Sends what fits now. @param descriptors go with the first byte and stay the caller's. @return bytes, 0 for "not now" */
    public int send(MemorySegment from, List<Integer> descriptors) throws LinuxException {
        return Call.make((state, scratch) -> {
            int length = CMSG_HEAD + descriptors.size() * Integer.BYTES;
            MemorySegment control = scratch.allocate(length + 7 & ~7, 8);
            control.set(LONG, 0, length);
            control.set(INT, 8, SOL_SOCKET);
            control.set(INT, 12, SCM_RIGHTS);
            for (int i = 0; i < descriptors.size(); i++) {
                control.set(INT, CMSG_HEAD + (long) i * Integer.BYTES, descriptors.get(i));
            }
            MemorySegment message = message(scratch, from, control, descriptors.isEmpty() ? 0 : control.byteSize());
            long n = (long) SENDMSG.invokeExact(state, fd(), message, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n < 0) {
                int errno = Libc.errno(state);
                if (errno == EAGAIN || errno == EINTR) {
                    return 0;
                }
                throw new LinuxException("send to a Unix socket", errno);
            }
            return (int) n;
        });
    }

    /** {@code struct msghdr}: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48. */
    private static MemorySegment message(Arena scratch, MemorySegment bytes, MemorySegment control, long controlBytes) {
        MemorySegment vector = scratch.allocate(IOVEC_BYTES, 8);
        vector.set(LONG, 0, bytes.address());
        vector.set(LONG, 8, bytes.byteSize());
        MemorySegment message = scratch.allocate(MSGHDR_BYTES, 8);
        message.set(LONG, 16, vector.address());
        message.set(LONG, 24, 1);
        if (controlBytes > 0) {
            message.set(LONG, 32, control.address());
            message.set(LONG, 40, controlBytes);
        }
        return message;
    }

    public int fd() {
        return descriptor.fd();
    }

    /** Ends the conversation, both ways: who waits for the socket is told. Any thread. */
    public void shutdown() {
        try {
            int ignored = (int) SHUTDOWN.invokeExact(fd(), SHUT_RDWR);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
