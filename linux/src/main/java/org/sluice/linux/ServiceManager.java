package org.sluice.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.OptionalInt;

/** What systemd and its like tell a service, and want to be told: {@code sd_listen_fds(3)} and {@code sd_notify(3)}. */
@SuppressWarnings("restricted")
public final class ServiceManager {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int FIRST_DESCRIPTOR = 3;
    private static final int PATH_BYTES = 108;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final MethodHandle SOCKET = Libc.withErrno("socket", FunctionDescriptor.of(INT, INT, INT, INT));
    private static final MethodHandle SENDTO = Libc.withErrno(
            "sendto",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG,
                    INT,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    INT,
                    ValueLayout.ADDRESS,
                    INT));

    private ServiceManager() {}

    /** The listening socket that this process was started with; empty where it was not. */
    public static OptionalInt listeningSocket(Map<String, String> environment) {
        boolean ours = String.valueOf(ProcessHandle.current().pid()).equals(environment.get("LISTEN_PID"));
        return ours && "1".equals(environment.get("LISTEN_FDS"))
                ? OptionalInt.of(FIRST_DESCRIPTOR)
                : OptionalInt.empty();
    }

    /** Tells the manager something, such as {@code READY=1}; does nothing where nobody wants to know. */
    public static void tell(Map<String, String> environment, String what) throws LinuxException {
        String path = environment.get("NOTIFY_SOCKET");
        if (path == null || path.isEmpty()) {
            return;
        }
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        if (name.length >= PATH_BYTES) {
            return;
        }
        if (name[0] == '@') {
            name[0] = 0; // an abstract name
        }
        byte[] text = what.getBytes(StandardCharsets.UTF_8);
        Call.make((state, scratch) -> {
            int fd = (int) SOCKET.invokeExact(state, AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
            Call.check(fd, state, "socket");
            try (Descriptor socket = new Descriptor(fd)) {
                MemorySegment address = scratch.allocate(2 + PATH_BYTES, 2);
                address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
                MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, 2, name.length);
                MemorySegment bytes = scratch.allocateFrom(ValueLayout.JAVA_BYTE, text);
                long sent = (long) SENDTO.invokeExact(
                        state, socket.fd(), bytes, (long) text.length, MSG_NOSIGNAL, address, 2 + name.length);
                Call.check(sent, state, "tell the service manager");
            }
            return true;
        });
    }
}
