package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;

/** How the kernel is to treat one {@link TcpSocket}. Thread rule: that of the socket. No call waits, and none is for the data path. */
public final class SocketOptions {
    // <sys/socket.h>, <netinet/in.h>, <netinet/tcp.h> and <errno.h> of Linux, the same on x86-64 and AArch64
    private static final int SOL_SOCKET = 1;
    private static final int SO_REUSEADDR = 2;
    private static final int SO_ERROR = 4;
    private static final int SO_LINGER = 13;
    private static final int SO_RCVTIMEO = 20;
    private static final int SO_SNDTIMEO = 21;
    private static final int SO_BINDTODEVICE = 25;
    private static final int IPPROTO_IP = 0;
    private static final int IP_BIND_ADDRESS_NO_PORT = 24;
    private static final int IPPROTO_TCP = 6;
    private static final int IPPROTO_IPV6 = 41;
    private static final int IPV6_V6ONLY = 26;
    private static final int TCP_NODELAY = 1;
    private static final int TCP_CONGESTION = 13;
    private static final int TCP_NOTSENT_LOWAT = 25;
    private static final int TIMEVAL_BYTES = 16;
    private static final int EPERM = 1;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    private static final MethodHandle SETSOCKOPT =
            Libc.withErrno("setsockopt", FunctionDescriptor.of(INT, INT, INT, INT, ValueLayout.ADDRESS, INT));
    private static final MethodHandle GETSOCKOPT = Libc.withErrno(
            "getsockopt", FunctionDescriptor.of(INT, INT, INT, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));

    private final Descriptor descriptor;

    SocketOptions(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /** Makes packets leave by this device, whatever the routes say. @return false where the process may not */
    public boolean bindToDevice(String device) throws LinuxException {
        return Call.make((state, scratch) -> {
            int result = set(state, SOL_SOCKET, SO_BINDTODEVICE, name(scratch, device));
            if (result < 0 && Libc.errno(state) == EPERM) {
                return false;
            }
            Call.check(result, state, "bind to device " + device);
            return true;
        });
    }

    /** Paces what this side sends by this algorithm of the kernel's. @return false where it has none of that name, or not for us */
    public boolean congestionControl(String algorithm) throws LinuxException {
        return Call.make((state, scratch) -> set(state, IPPROTO_TCP, TCP_CONGESTION, name(scratch, algorithm)) == 0);
    }

    /** A value that is a name, which the kernel takes without a zero at its end. */
    private static MemorySegment name(Arena scratch, String value) {
        return scratch.allocateFrom(ValueLayout.JAVA_BYTE, value.getBytes(StandardCharsets.US_ASCII));
    }

    /**
     * From now on calls that are not told to return at once may wait so long, as those of {@link VectorIo} that say so. A connection
     * that stands; the calls of {@link TcpSocket} go on as before.
     *
     * @param millis at least 1
     */
    public void mayWait(int millis) throws LinuxException {
        timeout(SO_RCVTIMEO, millis);
        timeout(SO_SNDTIMEO, millis);
        descriptor.mayWait();
    }

    private void timeout(int name, int millis) throws LinuxException {
        Call.make((state, scratch) -> {
            MemorySegment time = scratch.allocate(TIMEVAL_BYTES, Long.BYTES);
            time.set(ValueLayout.JAVA_LONG, 0, millis / 1000);
            time.set(ValueLayout.JAVA_LONG, Long.BYTES, millis % 1000 * 1000L);
            Call.check(set(state, SOL_SOCKET, name, time), state, "setsockopt " + name);
            return true;
        });
    }

    /** How many bytes that have not left yet the kernel takes before it says "not now". A courtesy: a refusal is ignored. */
    public void unsentLowWater(int bytes) {
        try {
            number(IPPROTO_TCP, TCP_NOTSENT_LOWAT, bytes);
        } catch (LinuxException e) {
            // a kernel that does not know it takes what its buffer holds
        }
    }

    /** Closing will drop what is unsent and reset the connection, rather than deliver it behind our back. */
    public void discardOnClose() throws LinuxException {
        Call.make((state, scratch) -> {
            MemorySegment linger = scratch.allocateFrom(INT, 1, 0);
            Call.check(set(state, SOL_SOCKET, SO_LINGER, linger), state, "setsockopt SO_LINGER");
            return true;
        });
    }

    /** Sends at once what is given to it, without Nagle's delay. */
    void noDelay() throws LinuxException {
        number(IPPROTO_TCP, TCP_NODELAY, 1);
    }

    /** Its address may be one whose last connections the kernel still remembers. */
    void reuseAddress() throws LinuxException {
        number(SOL_SOCKET, SO_REUSEADDR, 1);
    }

    /** An IPv6 socket hears IPv4 too. */
    void bothFamilies() throws LinuxException {
        number(IPPROTO_IPV6, IPV6_V6ONLY, 0);
    }

    /** Binding chooses an address alone; the port is chosen on connecting, to suit the peer. A courtesy: a refusal is ignored. */
    void portOnConnect() {
        try {
            number(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        } catch (LinuxException e) {
            // before Linux 4.2 the port is taken from all peers
        }
    }

    /** Why connecting has failed, an errno; 0 when it has not. The kernel tells it once. */
    int takeError() throws LinuxException {
        return Call.make((state, scratch) -> {
            MemorySegment value = scratch.allocate(INT);
            MemorySegment size = scratch.allocateFrom(INT, (int) INT.byteSize());
            int result = (int) GETSOCKOPT.invokeExact(state, descriptor.fd(), SOL_SOCKET, SO_ERROR, value, size);
            Call.check(result, state, "getsockopt SO_ERROR");
            return value.get(INT, 0);
        });
    }

    private void number(int level, int name, int value) throws LinuxException {
        Call.make((state, scratch) -> {
            Call.check(set(state, level, name, scratch.allocateFrom(INT, value)), state, "setsockopt " + name);
            return true;
        });
    }

    private int set(MemorySegment state, int level, int name, MemorySegment value) throws Throwable {
        return (int) SETSOCKOPT.invokeExact(state, descriptor.fd(), level, name, value, (int) value.byteSize());
    }
}
