package org.sluice.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The ioctls of network devices. Unlike sysfs, which shows the namespace it was mounted in, they always speak of the network
 * namespace of this process. For one thread, from opening to closing.
 */
final class DeviceControl implements AutoCloseable {
    /** {@code struct ifreq} of {@code <net/if.h>}: a name of 16 bytes, then a union of 24. */
    private static final long IFREQ_BYTES = 40;

    private static final long IFREQ_VALUE = 16;
    private static final int IFNAMSIZ = 16;

    // <linux/sockios.h>
    private static final long SIOCGIFFLAGS = 0x8913;
    private static final long SIOCGIFMTU = 0x8921;
    private static final long SIOCETHTOOL = 0x8946;

    // <linux/if.h>
    static final int IFF_UP = 0x1;
    static final int IFF_LOOPBACK = 0x8;
    static final int IFF_RUNNING = 0x40;

    private static final int EINVAL = 22;
    private static final int EOPNOTSUPP = 95;
    private static final int AF_INET = 2;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_CLOEXEC = 0x80000;

    private static final MethodHandle SOCKET = Libc.withErrno(
            "socket",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    private static final MethodHandle CLOSE =
            Libc.function("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    private static final MethodHandle IOCTL = Libc.variadicWithErrno(
            "ioctl",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
            2);

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment callState = arena.allocate(Libc.CALL_STATE);
    private final MemorySegment request = arena.allocate(IFREQ_BYTES, 8);
    private final int fd;

    /** @throws LinuxException when there are no descriptors left */
    DeviceControl() throws LinuxException {
        try {
            fd = (int) SOCKET.invokeExact(callState, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        if (fd < 0) {
            int errno = Libc.errno(callState);
            arena.close();
            throw new LinuxException("socket for network device ioctls", errno);
        }
    }

    /** {@code IFF_} bits, the lower 16. */
    int flags(String device) throws LinuxException {
        request(device);
        call(device, SIOCGIFFLAGS, "SIOCGIFFLAGS");
        return Short.toUnsignedInt(request.get(ValueLayout.JAVA_SHORT, IFREQ_VALUE));
    }

    int mtu(String device) throws LinuxException {
        request(device);
        call(device, SIOCGIFMTU, "SIOCGIFMTU");
        return request.get(ValueLayout.JAVA_INT, IFREQ_VALUE);
    }

    /**
     * An ethtool command, whose answer takes its place.
     *
     * @param command a structure of {@code <linux/ethtool.h>}, the command number first
     * @return false where the driver has no such command
     */
    boolean ethtool(String device, MemorySegment command) throws LinuxException {
        request(device);
        request.set(ValueLayout.ADDRESS, IFREQ_VALUE, command);
        try {
            call(device, SIOCETHTOOL, "ethtool command " + command.get(ValueLayout.JAVA_INT, 0));
            return true;
        } catch (LinuxException e) {
            if (e.errno() == EOPNOTSUPP || e.errno() == EINVAL) {
                return false;
            }
            throw e;
        }
    }

    private void request(String device) {
        if (device.length() >= IFNAMSIZ) {
            throw new IllegalArgumentException("a network device name has at most 15 letters: " + device);
        }
        request.fill((byte) 0);
        request.setString(0, device);
    }

    private void call(String device, long code, String name) throws LinuxException {
        int rc;
        try {
            rc = (int) IOCTL.invokeExact(callState, fd, code, request);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        if (rc < 0) {
            throw new LinuxException(name + " of network device " + device, Libc.errno(callState));
        }
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
