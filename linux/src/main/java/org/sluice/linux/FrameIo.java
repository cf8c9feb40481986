package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Moves frames, a head and a body at two places in memory, with one system call for both. Waits in the kernel; a {@linkplain
 * TcpSocket#shutdown shutdown} ends the wait. Belongs to the thread that made it; allocates nothing per call.
 */
@SuppressWarnings("restricted")
public final class FrameIo {
    /** {@link #receive}: the peer has closed its end. */
    public static final long END_OF_STREAM = -1;

    // <sys/socket.h> and <errno.h> of Linux
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_WAITALL = 0x100;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;

    /** struct msghdr on 64-bit: name 0, namelen 8, iov 16, iovlen 24, control 32, controllen 40, flags 48. */
    private static final int MSGHDR_BYTES = 56;

    private static final int IOVEC_BYTES = 16;

    /** Vectors of one system call: IOV_MAX of Linux. */
    private static final int MOST_VECTORS = 1024;

    /** All of it: lists of pieces lie where their owner put them. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final FunctionDescriptor MESSAGE = FunctionDescriptor.of(
            ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
    private static final MethodHandle RECVMSG = Libc.withErrno("recvmsg", MESSAGE);
    private static final MethodHandle SENDMSG = Libc.withErrno("sendmsg", MESSAGE);

    private final int fd;
    private final MemorySegment callState;
    private final MemorySegment message;
    private final MemorySegment vectors;

    /** @param arena owns the scratch memory; confined to the calling thread */
    public FrameIo(TcpSocket socket, Arena arena) {
        this.fd = socket.fd();
        this.callState = arena.allocate(Libc.CALL_STATE);
        this.vectors = arena.allocate((long) MOST_VECTORS * IOVEC_BYTES, 8);
        this.message = arena.allocate(MSGHDR_BYTES, 8);
        message.set(ValueLayout.JAVA_LONG, 16, vectors.address());
    }

    /**
     * Sends a whole frame.
     *
     * @throws LinuxException when the connection is broken or was shut down
     */
    public void send(long head, long headBytes, long body, long bodyBytes) throws LinuxException {
        long done = 0;
        long all = headBytes + bodyBytes;
        while (done < all) {
            point(head, headBytes, body, bodyBytes, done);
            long n = sendmsg();
            if (n < 0) {
                int errno = Libc.errno(callState);
                if (errno != EINTR) {
                    throw new LinuxException("send", errno);
                }
            } else {
                done += n;
            }
        }
    }

    /**
     * Receives a frame, or what is left of it.
     *
     * @param from bytes of the frame that are here already
     * @param wait whether to wait for all of it; otherwise takes what is there
     * @return bytes of the frame that are here now, the same as {@code from} when there was nothing; or {@link #END_OF_STREAM}
     * @throws LinuxException when the connection is broken
     */
    public long receive(long head, long headBytes, long body, long bodyBytes, long from, boolean wait)
            throws LinuxException {
        long done = from;
        long all = headBytes + bodyBytes;
        while (done < all) {
            point(head, headBytes, body, bodyBytes, done);
            long n = recvmsg(wait ? MSG_WAITALL : MSG_DONTWAIT);
            if (n > 0) {
                done += n;
            } else if (n == 0) {
                return END_OF_STREAM;
            } else {
                int errno = Libc.errno(callState);
                if (errno == EAGAIN) {
                    return done;
                }
                if (errno != EINTR) {
                    throw new LinuxException("receive", errno);
                }
            }
            if (!wait) {
                return done;
            }
        }
        return done;
    }

    /**
     * As {@link #send}, with a body in several pieces.
     *
     * @param pieces native address of {@code count} vectors {@code {u64 address, u64 bytes}}
     */
    public void sendPieces(long head, long headBytes, long pieces, int count) throws LinuxException {
        long headDone = 0;
        int piece = 0;
        long within = 0;
        while (headDone < headBytes || piece < count) {
            pointPieces(head + headDone, headBytes - headDone, pieces, count, piece, within);
            long n = sendmsg();
            if (n < 0) {
                int errno = Libc.errno(callState);
                if (errno != EINTR) {
                    throw new LinuxException("send", errno);
                }
                continue;
            }
            long ofHead = Math.min(n, headBytes - headDone);
            headDone += ofHead;
            within += n - ofHead;
            while (piece < count && within >= bytes(pieces, piece)) {
                within -= bytes(pieces, piece++);
            }
        }
    }

    /**
     * As {@link #receive} with {@code wait}, with a body in several pieces.
     *
     * @param pieces native address of {@code count} vectors {@code {u64 address, u64 bytes}}
     * @return false at the end of the stream
     */
    public boolean receivePieces(long head, long headBytes, long pieces, int count) throws LinuxException {
        long headDone = 0;
        int piece = 0;
        long within = 0;
        while (headDone < headBytes || piece < count) {
            pointPieces(head + headDone, headBytes - headDone, pieces, count, piece, within);
            long n = recvmsg(MSG_WAITALL);
            if (n == 0) {
                return false;
            }
            if (n < 0) {
                int errno = Libc.errno(callState);
                if (errno != EINTR) {
                    throw new LinuxException("receive", errno);
                }
                continue;
            }
            long ofHead = Math.min(n, headBytes - headDone);
            headDone += ofHead;
            within += n - ofHead;
            while (piece < count && within >= bytes(pieces, piece)) {
                within -= bytes(pieces, piece++);
            }
        }
        return true;
    }

    private static long bytes(long pieces, int i) {
        return MEMORY.get(ValueLayout.JAVA_LONG, pieces + (long) i * IOVEC_BYTES + Long.BYTES);
    }

    /** As many vectors as one call takes: what is left of the head, then the pieces from {@code piece} on, {@code within} of it done. */
    private void pointPieces(long head, long headLeft, long pieces, int count, int piece, long within) {
        int used = 0;
        if (headLeft > 0) {
            vectors.set(ValueLayout.JAVA_LONG, 0, head);
            vectors.set(ValueLayout.JAVA_LONG, 8, headLeft);
            used = 1;
        }
        int some = Math.min(count - piece, MOST_VECTORS - used);
        long first = (long) used * IOVEC_BYTES;
        MemorySegment.copy(MEMORY, pieces + (long) piece * IOVEC_BYTES, vectors, first, (long) some * IOVEC_BYTES);
        if (some > 0 && within > 0) {
            vectors.set(ValueLayout.JAVA_LONG, first, vectors.get(ValueLayout.JAVA_LONG, first) + within);
            vectors.set(ValueLayout.JAVA_LONG, first + 8, vectors.get(ValueLayout.JAVA_LONG, first + 8) - within);
        }
        message.set(ValueLayout.JAVA_LONG, 24, used + some);
    }

    private void point(long head, long headBytes, long body, long bodyBytes, long done) {
        boolean both = done < headBytes;
        long bodyDone = both ? 0 : done - headBytes;
        vectors.set(ValueLayout.JAVA_LONG, 0, both ? head + done : body + bodyDone);
        vectors.set(ValueLayout.JAVA_LONG, 8, both ? headBytes - done : bodyBytes - bodyDone);
        vectors.set(ValueLayout.JAVA_LONG, 16, body);
        vectors.set(ValueLayout.JAVA_LONG, 24, bodyBytes);
        message.set(ValueLayout.JAVA_LONG, 24, both ? 2 : 1);
    }

    // one method each: only a handle in a static final field is compiled into the call

    private long sendmsg() {
        try {
            return (long) SENDMSG.invokeExact(callState, fd, message, MSG_NOSIGNAL);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private long recvmsg(int flags) {
        try {
            return (long) RECVMSG.invokeExact(callState, fd, message, flags);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
