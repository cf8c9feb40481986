package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Asks the kernel questions, which it answers inside {@code send} and {@code recv}, so nothing here waits. For one thread, from
 * opening to closing.
 */
final class Netlink implements AutoCloseable {
    /** Protocols of {@code <linux/netlink.h>}. */
    static final int ROUTE = 0;

    static final int GENERIC = 16;

    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW_CLOEXEC = 3 | 0x80000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final short NLM_F_REQUEST = 1;
    private static final short NLM_F_DUMP = 0x300;
    private static final short NLMSG_ERROR = 2;
    private static final short NLMSG_DONE = 3;

    /** {@code struct nlmsghdr}: length, type, flags, sequence number, port. */
    private static final int HEAD_BYTES = 16;

    private static final int ATTRIBUTE_HEAD_BYTES = 4;

    /** Two bits of an attribute's type are flags: NLA_TYPE_MASK. */
    private static final int ATTRIBUTE_TYPE_MASK = 0x3fff;

    private static final int MOST_BYTES = 32 << 10;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MethodHandle SOCKET = Libc.withErrno("socket", FunctionDescriptor.of(INT, INT, INT, INT));
    private static final MethodHandle SEND =
            Libc.withErrno("send", FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, LONG, INT));
    private static final MethodHandle RECV =
            Libc.withErrno("recv", FunctionDescriptor.of(LONG, INT, ValueLayout.ADDRESS, LONG, INT));
    private static final MethodHandle CLOSE = Libc.function("close", FunctionDescriptor.of(INT, INT));

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment callState = arena.allocate(Libc.CALL_STATE);
    private final MemorySegment message = arena.allocate(MOST_BYTES, 8);
    private final int fd;

    Netlink(int protocol) throws LinuxException {
        try {
            fd = (int) SOCKET.invokeExact(callState, AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        if (fd < 0) {
            int errno = Libc.errno(callState);
            arena.close();
            throw new LinuxException("netlink socket", errno);
        }
    }

    /** An empty body to {@link #put} things into. */
    static ByteBuffer body() {
        return ByteBuffer.allocate(1024).order(ByteOrder.nativeOrder());
    }

    static void put(ByteBuffer body, int type, byte[] value) {
        body.putShort((short) (ATTRIBUTE_HEAD_BYTES + value.length)).putShort((short) type);
        body.put(value);
        while (body.position() % 4 != 0) {
            body.put((byte) 0);
        }
    }

    static void put(ByteBuffer body, int type, int value) {
        put(
                body,
                type,
                ByteBuffer.allocate(4)
                        .order(ByteOrder.nativeOrder())
                        .putInt(value)
                        .array());
    }

    /** A string with its zero at the end. */
    static void put(ByteBuffer body, int type, String value) {
        put(body, type, (value + "\0").getBytes(StandardCharsets.US_ASCII));
    }

    /**
     * Sends a request and gives the body of the answer.
     *
     * @param what the request, for the error
     * @param body written, not yet flipped
     * @throws LinuxException with the kernel's refusal
     */
    ByteBuffer ask(String what, int type, ByteBuffer body) throws LinuxException {
        send(what, type, NLM_F_REQUEST, body);
        long got = transfer(RECV, MOST_BYTES, MSG_DONTWAIT, what);
        ByteBuffer answer = ByteBuffer.wrap(message.asSlice(0, got).toArray(ValueLayout.JAVA_BYTE))
                .order(ByteOrder.nativeOrder());
        int length = got < HEAD_BYTES ? 0 : answer.getInt(0);
        if (length < HEAD_BYTES || length > got) {
            throw new LinuxException(what + ": a broken netlink answer", EBADMSG);
        }
        if (answer.getShort(4) == NLMSG_ERROR) {
            throw new LinuxException(what, -answer.getInt(HEAD_BYTES));
        }
        return answer.slice(HEAD_BYTES, length - HEAD_BYTES).order(ByteOrder.nativeOrder());
    }

    /**
     * Asks for all there is of something and gives the body of each answer.
     *
     * @param what the request, for the error
     * @param body written, not yet flipped
     */
    List<ByteBuffer> dump(String what, int type, ByteBuffer body) throws LinuxException {
        send(what, type, (short) (NLM_F_REQUEST | NLM_F_DUMP), body);
        List<ByteBuffer> all = new ArrayList<>();
        while (true) {
            long got = transfer(RECV, MOST_BYTES, MSG_DONTWAIT, what);
            ByteBuffer batch = ByteBuffer.wrap(message.asSlice(0, got).toArray(ValueLayout.JAVA_BYTE))
                    .order(ByteOrder.nativeOrder());
            int at = 0;
            while (at + HEAD_BYTES <= got) {
                int length = batch.getInt(at);
                if (length < HEAD_BYTES || at + length > got) {
                    throw new LinuxException(what + ": a broken netlink answer", EBADMSG);
                }
                short kind = batch.getShort(at + 4);
                if (kind == NLMSG_DONE) {
                    return all;
                }
                if (kind == NLMSG_ERROR) {
                    throw new LinuxException(what, -batch.getInt(at + HEAD_BYTES));
                }
                all.add(batch.slice(at + HEAD_BYTES, length - HEAD_BYTES).order(ByteOrder.nativeOrder()));
                at += (length + 3) & ~3;
            }
        }
    }

    private void send(String what, int type, short flags, ByteBuffer body) throws LinuxException {
        body.flip();
        ByteBuffer request = message.asByteBuffer().order(ByteOrder.nativeOrder());
        request.putInt(HEAD_BYTES + body.remaining())
                .putShort((short) type)
                .putShort(flags)
                .putInt(1)
                .putInt(0)
                .put(body);
        transfer(SEND, request.position(), 0, what);
    }

    private static final int EBADMSG = 74;

    private long transfer(MethodHandle function, long bytes, int flags, String what) throws LinuxException {
        long n;
        try {
            n = (long) function.invokeExact(callState, fd, message, bytes, flags);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        if (n < 0) {
            throw new LinuxException(what, Libc.errno(callState));
        }
        return n;
    }

    /** The attributes that follow after {@code skip} bytes, by type; the last of a type counts. */
    static Map<Integer, ByteBuffer> attributes(ByteBuffer body, int skip) {
        Map<Integer, ByteBuffer> all = new LinkedHashMap<>();
        int at = skip;
        while (at + ATTRIBUTE_HEAD_BYTES <= body.limit()) {
            int length = Short.toUnsignedInt(body.getShort(at));
            if (length < ATTRIBUTE_HEAD_BYTES || at + length > body.limit()) {
                break;
            }
            int type = body.getShort(at + 2) & ATTRIBUTE_TYPE_MASK;
            all.put(
                    type,
                    body.slice(at + ATTRIBUTE_HEAD_BYTES, length - ATTRIBUTE_HEAD_BYTES)
                            .order(ByteOrder.nativeOrder()));
            at += (length + 3) & ~3;
        }
        return all;
    }

    @Override
    public void close() {
        try {
            int ignored = (int) CLOSE.invokeExact(fd);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        arena.close();
    }
}
