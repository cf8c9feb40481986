package org.sluice.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A TCP socket by its descriptor: what {@link java.net.Socket} does not have is the device it is bound to ({@link SocketOptions}), the
 * kernel's {@link TcpInfo}, and one system call for many places in memory ({@link VectorIo}).
 *
 * <p>Connecting and accepting never block. Thread rule: one thread at a time, but {@link #shutdown} may come from any.
 */
@SuppressWarnings("restricted")
public final class TcpSocket implements AutoCloseable {
    // <sys/socket.h>, <poll.h> and <errno.h> of Linux, the same on x86-64 and AArch64
    private static final int SOCK_STREAM = 1;
    private static final int SOCK_NONBLOCK_CLOEXEC = 0x800 | 0x80000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int SHUT_RDWR = 2;
    private static final short POLLOUT = 4;
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
    private static final FunctionDescriptor TRANSFER =
            FunctionDescriptor.of(ValueLayout.JAVA_LONG, INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, INT);
    private static final MethodHandle SEND = Libc.withErrno("send", TRANSFER);
    private static final MethodHandle RECV = Libc.withErrno("recv", TRANSFER);
    private static final MethodHandle POLL =
            Libc.withErrno("poll", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, INT));
    private static final MethodHandle SHUTDOWN = Libc.function("shutdown", FunctionDescriptor.of(INT, INT, INT));

    private final Descriptor descriptor;
    private final SocketOptions options;

    /** Remembered, since a connection that was reset has none any more. Empty before connecting. */
    private volatile Optional<InetSocketAddress> peer;

    private TcpSocket(int fd, Optional<InetSocketAddress> peer) {
        this.descriptor = new Descriptor(fd);
        this.options = new SocketOptions(descriptor);
        this.peer = peer;
    }

    /** Takes over a descriptor; closes it where it is none of a TCP socket. */
    static TcpSocket of(int fd, Optional<InetSocketAddress> peer) throws LinuxException {
        TcpSocket socket = new TcpSocket(fd, peer);
        try {
            socket.options.noDelay();
            return socket;
        } catch (LinuxException e) {
            socket.close();
            throw e;
        }
    }

    /** A fresh socket for addresses of this family, non-blocking, without Nagle's delay. */
    public static TcpSocket open(InetAddress family) throws LinuxException {
        return Call.make((state, scratch) -> {
            int domain = SocketAddresses.family(family);
            int fd = (int) SOCKET.invokeExact(state, domain, SOCK_STREAM | SOCK_NONBLOCK_CLOEXEC, 0);
            Call.check(fd, state, "socket");
            return of(fd, Optional.empty());
        });
    }

    /** Fixes the local address of a socket that is to listen; {@code ::} is every one of both families. @param port 0 for any free */
    public void bind(InetAddress address, int port) throws LinuxException {
        InetSocketAddress local = new InetSocketAddress(address, port);
        options.reuseAddress();
        if (address instanceof Inet6Address && address.isAnyLocalAddress()) {
            options.bothFamilies();
        }
        Call.make((state, scratch) -> {
            int result = (int) BIND.invokeExact(
                    state, fd(), SocketAddresses.encode(scratch, local), SocketAddresses.length(local));
            if (result < 0 && port == 0 && Libc.errno(state) == EADDRINUSE) {
                throw new LinuxException(
                        "bind to " + address.getHostAddress() + ": no port is left, " + LocalPorts.usedUp(),
                        EADDRINUSE);
            }
            Call.check(result, state, "bind to " + text(local));
            return true;
        });
    }

    /** Fixes the local address of a socket that is to connect; its port is chosen then, to suit the peer. */
    public void bindSource(InetAddress address) throws LinuxException {
        InetSocketAddress local = new InetSocketAddress(address, 0);
        options.portOnConnect();
        Call.make((state, scratch) -> {
            int result = (int) BIND.invokeExact(
                    state, fd(), SocketAddresses.encode(scratch, local), SocketAddresses.length(local));
            Call.check(result, state, "bind to " + address.getHostAddress());
            return true;
        });
    }

    /** Starts to connect. @return whether it is connected at once; else ask {@link #finishConnect} */
    public boolean connect(InetSocketAddress to) throws LinuxException {
        peer = Optional.of(to);
        return Call.make((state, scratch) -> {
            int result = (int)
                    CONNECT.invokeExact(state, fd(), SocketAddresses.encode(scratch, to), SocketAddresses.length(to));
            int errno = result < 0 ? Libc.errno(state) : 0;
            if (errno == EINPROGRESS) {
                return false;
            }
            if (errno == EADDRNOTAVAIL) {
                throw new LinuxException(
                        "connect to " + text(to) + ": no local port is left for it, " + LocalPorts.usedUp(), errno);
            }
            Call.check(result, state, "connect to " + text(to));
            return true;
        });
    }

    /** Whether the connection is there. @throws LinuxException when it will never be */
    public boolean finishConnect(InetSocketAddress peer) throws LinuxException {
        return Call.make((state, scratch) -> {
            MemorySegment pollFd = scratch.allocate(8, 4);
            pollFd.set(INT, 0, fd());
            pollFd.set(ValueLayout.JAVA_SHORT, 4, POLLOUT);
            int ready = (int) POLL.invokeExact(state, pollFd, 1L, 0);
            if (ready == 0) {
                return false;
            }
            int error = options.takeError();
            if (error != 0) {
                throw new LinuxException("connect to " + text(peer), error);
            }
            return true;
        });
    }

    public void listen(int backlog) throws LinuxException {
        Call.make((state, scratch) -> {
            int result = (int) LISTEN.invokeExact(state, fd(), backlog);
            Call.check(result, state, "listen");
            return true;
        });
    }

    /** The next who has connected, non-blocking; null for nobody. */
    public @Nullable TcpSocket accept() throws LinuxException {
        return Call.make((state, scratch) -> {
            MemorySegment address = scratch.allocate(SocketAddresses.BYTES, 4);
            MemorySegment size = scratch.allocateFrom(INT, SocketAddresses.BYTES);
            int result = (int) ACCEPT.invokeExact(state, fd(), address, size, SOCK_NONBLOCK_CLOEXEC);
            int errno = result < 0 ? Libc.errno(state) : 0;
            if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) {
                return null;
            }
            Call.check(result, state, "accept");
            return of(result, Optional.of(SocketAddresses.decode(address)));
        });
    }

    public InetSocketAddress localAddress() throws LinuxException {
        return Call.make((state, scratch) -> {
            MemorySegment address = scratch.allocate(SocketAddresses.BYTES, 4);
            MemorySegment size = scratch.allocateFrom(INT, SocketAddresses.BYTES);
            int result = (int) GETSOCKNAME.invokeExact(state, fd(), address, size);
            Call.check(result, state, "local address of a socket");
            return SocketAddresses.decode(address);
        });
    }

    /** Who was connected to or has connected, also once the connection is broken. @throws IllegalStateException before */
    public InetSocketAddress peerAddress() {
        return peer.orElseThrow(() -> new IllegalStateException("not connected to anybody"));
    }

    /** Sends what fits now. @return bytes, 0 for "not now" */
    public int sendNow(byte[] bytes, int from, int length) throws LinuxException {
        return Call.make((state, scratch) -> {
            MemorySegment copy = scratch.allocate(length);
            MemorySegment.copy(bytes, from, copy, ValueLayout.JAVA_BYTE, 0, length);
            long n = (long) SEND.invokeExact(state, fd(), copy, copy.byteSize(), MSG_DONTWAIT | MSG_NOSIGNAL);
            return transferred(n, state, "send");
        });
    }

    /** Receives what is there. @return bytes, 0 for "nothing yet", -1 at the end of the stream */
    public int receiveNow(byte[] into, int from) throws LinuxException {
        return Call.make((state, scratch) -> {
            MemorySegment copy = scratch.allocate(into.length - (long) from);
            long n = (long) RECV.invokeExact(state, fd(), copy, copy.byteSize(), MSG_DONTWAIT);
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

    /** How the kernel is to treat it. */
    public SocketOptions options() {
        return options;
    }

    /** For {@link VectorIo}, {@link Epoll} and {@link TcpInfo}. */
    public int fd() {
        return descriptor.fd();
    }

    /** Ends the conversation: calls that wait in another thread return. Any thread. */
    public void shutdown() {
        try {
            int ignored = (int) SHUTDOWN.invokeExact(fd(), SHUT_RDWR);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Frees the descriptor; no thread may be inside a call. Idempotent. */
    @Override
    public void close() {
        descriptor.close();
    }

    /** {@code 10.1.0.2:35001}, {@code [fe80::1]:35001}. */
    public static String text(InetSocketAddress a) {
        String ip = a.getAddress().getHostAddress();
        return (ip.indexOf(':') >= 0 ? "[" + ip + "]" : ip) + ":" + a.getPort();
    }
}
