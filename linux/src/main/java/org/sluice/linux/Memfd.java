package org.sluice.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Makes memory that has a descriptor and no name in a file system. */
@SuppressWarnings("restricted")
public final class Memfd {
    // <sys/mman.h> of Linux
    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_ALLOW_SEALING = 2;

    private static final MethodHandle MEMFD_CREATE = Libc.withErrno(
            "memfd_create", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle FTRUNCATE = Libc.withErrno(
            "ftruncate", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));

    private Memfd() {}

    /** Zeros of a length that nobody can change any more. @param name for {@code /proc}, nothing else */
    public static Descriptor sealed(String name, long bytes) throws LinuxException {
        Descriptor memory = open(name, bytes);
        if (!memory.addSeals(Descriptor.SEAL_SHRINK | Descriptor.SEAL_GROW | Descriptor.SEAL_SEAL)) {
            memory.close();
            throw new LinuxException("seal memory", 0);
        }
        return memory;
    }

    /** Zeros of a length that whoever has the descriptor can change or seal. */
    public static Descriptor open(String name, long bytes) throws LinuxException {
        return Call.make((state, scratch) -> {
            int fd = (int) MEMFD_CREATE.invokeExact(state, scratch.allocateFrom(name), MFD_CLOEXEC | MFD_ALLOW_SEALING);
            Call.check(fd, state, "memfd_create");
            Descriptor memory = new Descriptor(fd);
            int result = (int) FTRUNCATE.invokeExact(state, fd, bytes);
            if (result < 0) {
                memory.close();
            }
            Call.check(result, state, "ftruncate to " + bytes + " bytes");
            return memory;
        });
    }
}
