package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A TCP socket by its descriptor: what {@link java.net.Socket} does not have is the device it is bound to, the kernel's {@code
 * TCP_INFO}, and one system call for many places in memory ({@link VectorIo}).
 *
 * <p>Connecting and accepting never block. Thread rule: one thread at a time, but {@link #shutdown} may come from any.
 */
@SuppressWarnings("restricted")
public final class TcpSocket implements AutoCloseable {
    // <sys/socket.h>, <netinet/in.h>, <netinet/tcp.h>, <fcntl.h> and <errno.h> of Linux, the same on x86-64 and AArch64
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_NONBLOCK_CLOEXEC = 0x800 | 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_REUSEADDR = 2;
    private static final int SO_ERROR = 4;
    private static final int SO_LINGER = 13;
    private static final int SO_RCVTIMEO = 20;
    private static final int SO_SNDTIMEO = 21;
    private static final int TIMEVAL_BYTES = 16;
    private static final int F_SETFL = 4;
    private static final int SO_BINDTODEVICE = 25;
    private static final int IPPROTO_IP = 0;
    private static final int IP_BIND_ADDRESS_NO_PORT = 24;
    private static final int IPPROTO_TCP = 6;
    private static final int IPPROTO_IPV6 = 41;
    private static final int IPV6_V6ONLY = 26;
    private static final int TCP_NODELAY = 1;
    private static final int TCP_CONGESTION = 13;
    private static final int TCP_INFO = 11;
    private static final int TCP_NOTSENT_LOWAT = 25;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int SHUT_RDWR = 2;
    private static final short POLLOUT = 4;
    private static final int EPERM = 1;
    private static final int EINTR = 4;
    private static final int EAGAIN = 11;
    private static final int EADDRINUSE = 98;
    private static final int EADDRNOTAVAIL = 99;
    private static final int ECONNABORTED = 103;
    private static final int EINPROGRESS = 115;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    private static final MethodHandle SOCKET = Libc.withErrno("socket", FunctionDescriptor.of(INT, INT, INT, INT));
    private static final FunctionDescriptor FD_ADDRESS_INT = FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT);
    private static final MethodHandle BIND = Libc.withErrno("bind", FD_ADDRESS_INT);
    private static final MethodHandle CONNECT = Libc.withErrno("connect", FD_ADDRESS_INT);
    private static final MethodHandle LISTEN = Libc.withErrno("listen", FunctionDescriptor.of(INT, INT, INT));
    private static final MethodHandle ACCEPT =
            Libc.withErrno("accept4", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, INT));
    private static final FunctionDescriptor FD_NAME =
            FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
    private static final MethodHandle GETSOCKNAME = Libc.withErrno("getsockname", FD_NAME);
    private static final MethodHandle SETSOCKOPT =
            Libc.withErrno("setsockopt", FunctionDescriptor.of(INT, INT, INT, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle GETSOCKOPT = Libc.withErrno(
            "getsockopt", FunctionDescriptor.of(INT, INT, INT, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
    private static final FunctionDescriptor TRANSFER =
            FunctionDescriptor.of(ValueLayout.JAVA_LONG, INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, INT);
    private static final MethodHandle SEND = Libc.withErrno("send", TRANSFER);
    private static final MethodHandle RECV = Libc.withErrno("recv", TRANSFER);
    private static final MethodHandle POLL =
            Libc.withErrno("poll", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, INT));
    private static final MethodHandle FCNTL =
            Libc.variadicWithErrno("fcntl", FunctionDescriptor.of(INT, INT, INT, INT), 2);
    private static final MethodHandle SHUTDOWN = Libc.function("shutdown", FunctionDescriptor.of(INT, INT, INT));
    private static final MethodHandle CLOSE = Libc.function("close", FunctionDescriptor.of(INT, INT));

    /** {@code tcpi_bytes_received} in {@code struct tcp_info}, which only ever grows at its end; there since Linux 4.1. */
    private static final int BYTES_RECEIVED = 128;

    private final int fd;

    /** Remembered, since a connection that was reset has none any more. Null before connecting. */
    private volatile @Nullable InetSocketAddress peer;

    private boolean open = true;

    private TcpSocket(int fd, @Nullable InetSocketAddress peer) {
        this.fd = fd;
        this.peer = peer;
    }

    /** A call into libc with its call state and scratch memory. */
    private interface Call<T extends @Nullable Object> {
        T on(MemorySegment callState, Arena scratch) throws Throwable;
    }

    private static <T extends @Nullable Object> T call(Call<T> call) throws LinuxException {
        try (Arena scratch = Arena.ofConfined()) {
            return call.on(scratch.allocate(Libc.CALL_STATE), scratch);
        } catch (LinuxException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static void check(int result, MemorySegment callState, String what) throws LinuxException {
        if (result < 0) {
            throw new LinuxException(what, Libc.errno(callState));
        }
    }

    /** A fresh socket for addresses of this family, non-blocking, without Nagle's delay. */
    public static TcpSocket open(InetAddress family) throws LinuxException {
        return call((state, scratch) -> {
            int domain = SocketAddresses.family(family);
            int fd = (int) SOCKET.invokeExact(state, domain, SOCK_STREAM | SOCK_NONBLOCK_CLOEXEC, 0);
            check(fd, state, "socket");
            TcpSocket socket = new TcpSocket(fd, null);
            socket.option(IPPROTO_TCP, TCP_NODELAY, 1);
            return socket;
        });
    }

    /** Fixes the local address of a socket that is to listen; {@code ::} is every one of both families. @param port 0 for any free */
    public void bind(InetAddress address, int port) throws LinuxException {
        InetSocketAddress local = new InetSocketAddress(address, port);
        option(SOL_SOCKET, SO_REUSEADDR, 1);
        if (address instanceof Inet6Address && address.isAnyLocalAddress()) {
            option(IPPROTO_IPV6, IPV6_V6ONLY, 0);
        }
        call((state, scratch) -> {
            int result = (int)
                    BIND.invokeExact(state, fd, SocketAddresses.encode(scratch, local), SocketAddresses.length(local));
            if (result < 0 && port == 0 && Libc.errno(state) == EADDRINUSE) {
                throw new LinuxException(
                        "bind to " + address.getHostAddress() + ": no port is left, " + LocalPorts.usedUp(),
                        EADDRINUSE);
            }
            check(result, state, "bind to " + text(local));
            return true;
        });
    }

    /** Fixes the local address of a socket that is to connect; its port is chosen then, to suit the peer. */
    public void bindSource(InetAddress address) throws LinuxException {
        InetSocketAddress local = new InetSocketAddress(address, 0);
        call((state, scratch) -> {
            // a courtesy of Linux 4.2 and later: without it the port is taken from all peers
            int ignored = (int) SETSOCKOPT.invokeExact(
                    state, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, scratch.allocateFrom(INT, 1), (int) INT.byteSize());
            int result = (int)
                    BIND.invokeExact(state, fd, SocketAddresses.encode(scratch, local), SocketAddresses.length(local));
            check(result, state, "bind to " + address.getHostAddress());
            return true;
        });
    }

    /** Makes packets leave by this device, whatever the routes say. @return false where the process may not */
    public boolean bindToDevice(String device) throws LinuxException {
        return call((state, scratch) -> {
            int result = nameOption(state, scratch, SOL_SOCKET, SO_BINDTODEVICE, device);
            if (result < 0 && Libc.errno(state) == EPERM) {
                return false;
            }
            check(result, state, "bind to device " + device);
            return true;
        });
    }

    /** Paces what this side sends by this algorithm of the kernel's. @return false where it has none of that name, or not for us */
    public boolean congestionControl(String algorithm) throws LinuxException {
        return call((state, scratch) -> nameOption(state, scratch, IPPROTO_TCP, TCP_CONGESTION, algorithm) == 0);
    }

    /** Sets an option whose value is a name, which the kernel takes without a zero at its end. */
    private int nameOption(MemorySegment state, Arena scratch, int level, int option, String value) throws Throwable {
        byte[] ascii = value.getBytes(StandardCharsets.US_ASCII);
        MemorySegment text = scratch.allocateFrom(ValueLayout.JAVA_BYTE, ascii);
        return (int) SETSOCKOPT.invokeExact(state, fd, level, option, text, ascii.length);
    }

    /** Starts to connect. @return whether it is connected at once; else ask {@link #finishConnect} */
    public boolean connect(InetSocketAddress to) throws LinuxException {
        peer = to;
        return call((state, scratch) -> {
            int result = (int)
                    CONNECT.invokeExact(state, fd, SocketAddresses.encode(scratch, to), SocketAddresses.length(to));
            int errno = result < 0 ? Libc.errno(state) : 0;
            if (errno == EINPROGRESS) {
                return false;
            }
            if (errno == EADDRNOTAVAIL) {
                throw new LinuxException(
                        "connect to " + text(to) + ": no local port is left for it, " + LocalPorts.usedUp(), errno);
            }
            check(result, state, "connect to " + text(to));
            return true;
        });
    }

    /** Whether the connection is there. @throws LinuxException when it will never be */
    public boolean finishConnect(InetSocketAddress peer) throws LinuxException {
        return call((state, scratch) -> {
            MemorySegment pollFd = scratch.allocate(8, 4);
            pollFd.set(INT, 0, fd);
            pollFd.set(ValueLayout.JAVA_SHORT, 4, POLLOUT);
            int ready = (int) POLL.invokeExact(state, pollFd, 1L, 0);
            if (ready == 0) {
                return false;
            }
            int error = option(SOL_SOCKET, SO_ERROR);
            if (error != 0) {
                throw new LinuxException("connect to " + text(peer), error);
            }
            return true;
        });
    }

    public void listen(int backlog) throws LinuxException {
        call((state, scratch) -> {
            int result = (int) LISTEN.invokeExact(state, fd, backlog);
            check(result, state, "listen");
            return true;
        });
    }

    /** The next who has connected, non-blocking; null for nobody. */
    public @Nullable TcpSocket accept() throws LinuxException {
        TcpSocket accepted = call((state, scratch) -> {
            MemorySegment address = scratch.allocate(SocketAddresses.BYTES, 4);
            MemorySegment size = scratch.allocateFrom(INT, SocketAddresses.BYTES);
            int result = (int) ACCEPT.invokeExact(state, fd, address, size, SOCK_NONBLOCK_CLOEXEC);
            int errno = result < 0 ? Libc.errno(state) : 0;
            if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) {
                return null;
            }
            check(result, state, "accept");
            return new TcpSocket(result, SocketAddresses.decode(address));
        });
        if (accepted != null) {
            accepted.option(IPPROTO_TCP, TCP_NODELAY, 1);
        }
        return accepted;
    }

    public InetSocketAddress localAddress() throws LinuxException {
        return call((state, scratch) -> {
            MemorySegment address = scratch.allocate(SocketAddresses.BYTES, 4);
            MemorySegment size = scratch.allocateFrom(INT, SocketAddresses.BYTES);
            int result = (int) GETSOCKNAME.invokeExact(state, fd, address, size);
            check(result, state, "local address of a socket");
            return SocketAddresses.decode(address);
        });
    }

    /** Who was connected to or has connected, also once the connection is broken. @throws IllegalStateException before */
    public InetSocketAddress peerAddress() {
        InetSocketAddress known = peer;
        if (known == null) {
            throw new IllegalStateException("not connected to anybody");
        }
        return known;
    }

    /** Sends what fits now. @return bytes, 0 for "not now" */
    public int sendNow(byte[] bytes, int from, int length) throws LinuxException {
        return call((state, scratch) -> {
            MemorySegment copy = scratch.allocate(length);
            MemorySegment.copy(bytes, from, copy, ValueLayout.JAVA_BYTE, 0, length);
            long n = (long) SEND.invokeExact(state, fd, copy, copy.byteSize(), MSG_DONTWAIT | MSG_NOSIGNAL);
            return transferred(n, state, "send");
        });
    }

    /** Receives what is there. @return bytes, 0 for "nothing yet", -1 at the end of the stream */
    public int receiveNow(byte[] into, int from) throws LinuxException {
        return call((state, scratch) -> {
            MemorySegment copy = scratch.allocate(into.length - (long) from);
            long n = (long) RECV.invokeExact(state, fd, copy, copy.byteSize(), MSG_DONTWAIT);
            int received = transferred(n, state, "receive");
            if (received == 0 && n == 0) {
                return -1;
            }
            MemorySegment.copy(copy, ValueLayout.JAVA_BYTE, 0, into, from, received);
            return received;
        });
    }

    private static int transferred(long n, MemorySegment state, String what) throws LinuxException {
        if (n < 0) {
            int errno = Libc.errno(state);
            if (errno == EAGAIN || errno == EINTR) {
                return 0;
            }
            throw new LinuxException(what, errno);
        }
        return (int) n;
    }

    /**
     * From now on calls that are not told to return at once may wait so long, as those of {@link VectorIo} that say so. A connection
     * that stands; the calls of this class go on as before.
     *
     * @param millis at least 1
     */
    public void mayWait(int millis) throws LinuxException {
        timeout(SO_RCVTIMEO, millis);
        timeout(SO_SNDTIMEO, millis);
        call((state, scratch) -> {
            int result = (int) FCNTL.invokeExact(state, fd, F_SETFL, 0);
            check(result, state, "fcntl F_SETFL");
            return true;
        });
    }

    private void timeout(int name, int millis) throws LinuxException {
        call((state, scratch) -> {
            MemorySegment time = scratch.allocate(TIMEVAL_BYTES, Long.BYTES);
            time.set(ValueLayout.JAVA_LONG, 0, millis / 1000);
            time.set(ValueLayout.JAVA_LONG, Long.BYTES, millis % 1000 * 1000L);
            int result = (int) SETSOCKOPT.invokeExact(state, fd, SOL_SOCKET, name, time, TIMEVAL_BYTES);
            check(result, state, "setsockopt " + name);
            return true;
        });
    }

    /** How many bytes that have not left yet the kernel takes before it says "not now". A courtesy: a refusal is ignored. */
    public void unsentLowWater(int bytes) {
        try {
            option(IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
        } catch (LinuxException e) {
            // a kernel that does not know it takes what its buffer holds
        }
    }

    /** Bytes that have come in since the connection was made, read or not. Any thread. */
    public long bytesReceived() throws LinuxException {
        return call((state, scratch) -> {
            int bytes = BYTES_RECEIVED + Long.BYTES;
            MemorySegment info = scratch.allocate(bytes, Long.BYTES);
            int result = (int)
                    GETSOCKOPT.invokeExact(state, fd, IPPROTO_TCP, TCP_INFO, info, scratch.allocateFrom(INT, bytes));
            check(result, state, "getsockopt TCP_INFO");
            return info.get(ValueLayout.JAVA_LONG, BYTES_RECEIVED);
        });
    }

    private void option(int level, int name, int value) throws LinuxException {
        call((state, scratch) -> {
            int result = (int) SETSOCKOPT.invokeExact(
                    state, fd, level, name, scratch.allocateFrom(INT, value), (int) INT.byteSize());
            check(result, state, "setsockopt " + name);
            return true;
        });
    }

    private int option(int level, int name) throws LinuxException {
        return call((state, scratch) -> {
            MemorySegment value = scratch.allocate(INT);
            int result = (int) GETSOCKOPT.invokeExact(
                    state, fd, level, name, value, scratch.allocateFrom(INT, (int) INT.byteSize()));
            check(result, state, "getsockopt " + name);
            return value.get(INT, 0);
        });
    }

    /** For {@link VectorIo}, {@link Epoll} and {@code TCP_INFO}. */
    public int fd() {
        return fd;
    }

    /** Ends the conversation: calls that wait in another thread return. Any thread. */
    public void shutdown() {
        try {
            int ignored = (int) SHUTDOWN.invokeExact(fd, SHUT_RDWR);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Closing will drop what is unsent and reset the connection, rather than deliver it behind our back. */
    public void discardOnClose() throws LinuxException {
        call((state, scratch) -> {
            MemorySegment linger = scratch.allocateFrom(INT, 1, 0);
            int result = (int) SETSOCKOPT.invokeExact(state, fd, SOL_SOCKET, SO_LINGER, linger, 8);
            check(result, state, "setsockopt SO_LINGER");
            return true;
        });
    }

    /** Frees the descriptor; no thread may be inside a call. Idempotent. */
    @Override
    public void close() {
        if (open) {
            open = false;
            try {
                int ignored = (int) CLOSE.invokeExact(fd);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }
    }

    /** {@code 10.1.0.2:35001}, {@code [fe80::1]:35001}. */
    public static String text(InetSocketAddress a) {
        String ip = a.getAddress().getHostAddress();
        return (ip.indexOf(':') >= 0 ? "[" + ip + "]" : ip) + ":" + a.getPort();
    }
}
