package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Moves bytes between sockets and several places in memory with one system call. Belongs to the thread that made
 * it, serves any number of sockets one after the other, and allocates nothing per call.
 */
@SuppressWarnings("restricted")
public final class VectorIo {
    /** {@link #receive}: the peer has closed its end. */
    public static final long END_OF_STREAM = -1;

    /** Places of one system call: IOV_MAX of Linux. */
    public static final int MOST_PLACES = 1024;

    // <sys/socket.h> and <errno.h> of Linux
    private static final int SOL_SOCKET = 1;
    private static final int SO_RCVLOWAT = 18;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int MSG_WAITALL = 0x100;
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;

    /** struct msghdr on 64-bit: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48. */
    private static final int MSGHDR_BYTES = 56;

    private static final int COUNT = 24;
    private static final int IOVEC_BYTES = 16;

    /** All of it: lists of pieces lie where their owner put them. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final FunctionDescriptor MESSAGE = FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, INT);
    private static final MethodHandle RECVMSG = Libc.withErrno("recvmsg", MESSAGE);
    private static final MethodHandle SENDMSG = Libc.withErrno("sendmsg", MESSAGE);
    private static final MethodHandle SETSOCKOPT =
            Libc.withErrno("setsockopt", FunctionDescriptor.of(INT, INT, INT, INT, ValueLayout.ADDRESS, INT));

    private final MemorySegment callState;
    private final MemorySegment message;
    private final MemorySegment vectors;
    private final MemorySegment option;
    private int used;

    /** @param arena owns the scratch memory; confined to the calling thread */
    public VectorIo(Arena arena) {
        this.callState = arena.allocate(Libc.CALL_STATE);
        this.vectors = arena.allocate((long) MOST_PLACES * IOVEC_BYTES, 8);
        this.message = arena.allocate(MSGHDR_BYTES, 8);
        this.option = arena.allocate(INT);
        message.set(LONG, 16, vectors.address());
    }

    /** Forgets all places. */
    public void clear() {
        used = 0;
    }

    /** One more place; nothing where there are no bytes. */
    public void add(long address, long bytes) {
        if (bytes > 0) {
            long at = (long) used * IOVEC_BYTES;
            vectors.set(LONG, at, address);
            vectors.set(LONG, at + 8, bytes);
            used++;
        }
    }

    /**
     * As many places of a list as there is room for, but for {@code spare}.
     *
     * @param list native address of {@code count} vectors {@code {u64 address, u64 bytes}}
     * @param from the first that counts
     * @param within bytes of it that do not
     * @param spare places to leave free
     * @return their bytes
     */
    public long addList(long list, int from, int count, long within, int spare) {
        int some = Math.min(count - from, MOST_PLACES - used - spare);
        if (some <= 0) {
            return 0;
        }
        long first = (long) used * IOVEC_BYTES;
        MemorySegment.copy(MEMORY, list + (long) from * IOVEC_BYTES, vectors, first, (long) some * IOVEC_BYTES);
        vectors.set(LONG, first, vectors.get(LONG, first) + within);
        vectors.set(LONG, first + 8, vectors.get(LONG, first + 8) - within);
        used += some;
        long sum = 0;
        for (long at = first; at < (long) used * IOVEC_BYTES; at += IOVEC_BYTES) {
            sum += vectors.get(LONG, at + 8);
        }
        return sum;
    }

    /** Bytes of place {@code i} of a list. */
    public static long bytes(long list, int i) {
        return MEMORY.get(LONG, list + (long) i * IOVEC_BYTES + 8);
    }

    /** Sends from the places what fits now. @return bytes, 0 for "not now". @throws LinuxException when the connection is broken */
    public long send(TcpSocket socket) throws LinuxException {
        return send(socket, MSG_DONTWAIT);
    }

    /** As {@link #send}, and waits as long as the socket {@linkplain SocketOptions#mayWait may} for all of it to fit. */
    public long sendAll(TcpSocket socket) throws LinuxException {
        return send(socket, 0);
    }

    private long send(TcpSocket socket, int flags) throws LinuxException {
        message.set(LONG, COUNT, used);
        while (true) {
            long n = sendmsg(socket.fd(), flags | MSG_NOSIGNAL);
            if (n >= 0) {
                return n;
            }
            int errno = Libc.errno(callState);
            if (errno == EAGAIN) {
                return 0;
            }
            if (errno != EINTR) {
                throw new LinuxException("send", errno);
            }
        }
    }

    /**
     * Receives into the places what is there.
     *
     * @return bytes, 0 for "nothing yet", {@link #END_OF_STREAM}
     * @throws LinuxException when the connection is broken
     */
    public long receive(TcpSocket socket) throws LinuxException {
        return receive(socket, MSG_DONTWAIT);
    }

    /** As {@link #receive}, and waits as long as the socket {@linkplain SocketOptions#mayWait may} for all of it to come. */
    public long receiveAll(TcpSocket socket) throws LinuxException {
        return receive(socket, MSG_WAITALL);
    }

    private long receive(TcpSocket socket, int flags) throws LinuxException {
        message.set(LONG, COUNT, used);
        while (true) {
            long n = recvmsg(socket.fd(), flags);
            if (n > 0) {
                return n;
            }
            if (n == 0) {
                return END_OF_STREAM;
            }
            int errno = Libc.errno(callState);
            if (errno == EAGAIN) {
                return 0;
            }
            if (errno != EINTR) {
                throw new LinuxException("receive", errno);
            }
        }
    }

    /** From how many bytes on the kernel calls the socket readable; its end it tells always. A courtesy: a refusal is ignored. */
    public void receiveLowWater(TcpSocket socket, int bytes) {
        option.set(INT, 0, bytes);
        try {
            int ignored = (int) SETSOCKOPT.invokeExact(callState, socket.fd(), SOL_SOCKET, SO_RCVLOWAT, option, 4);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    // one method each: only a handle in a static final field is compiled into the call

    private long sendmsg(int fd, int flags) {
        try {
            return (long) SENDMSG.invokeExact(callState, fd, message, flags);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private long recvmsg(int fd, int flags) {
        try {
            return (long) RECVMSG.invokeExact(callState, fd, message, flags);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
