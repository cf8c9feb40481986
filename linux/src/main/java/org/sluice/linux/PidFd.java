package org.sluice.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** A descriptor that becomes readable when a process ends. */
@SuppressWarnings("restricted")
public final class PidFd {
    /** The same number on every architecture. */
    private static final long SYS_PIDFD_OPEN = 434;

    private static final MethodHandle SYSCALL = Libc.variadicWithErrno(
            "syscall",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
            1);

    private PidFd() {}

    /** Empty where the kernel is too old, the process is gone, or its number means nothing here. */
    public static Optional<Descriptor> of(int pid) {
        try {
            return Call.make((state, scratch) -> {
                long fd = (long) SYSCALL.invokeExact(state, SYS_PIDFD_OPEN, pid, 0);
                return fd < 0 ? Optional.empty() : Optional.of(new Descriptor((int) fd));
            });
        } catch (LinuxException e) {
            return Optional.empty();
        }
    }
}
