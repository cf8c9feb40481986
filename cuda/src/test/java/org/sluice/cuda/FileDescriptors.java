package org.sluice.cuda;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;

/** libc's close, for descriptors that come out of the driver. */
@SuppressWarnings("restricted")
final class FileDescriptors {
    private FileDescriptors() {}

    static void close(int fd) {
        Linker linker = Linker.nativeLinker();
        try {
            int result = (int) linker.downcallHandle(
                            linker.defaultLookup().findOrThrow("close"),
                            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))
                    .invokeExact(fd);
            if (result != 0) {
                throw new AssertionError("close of " + fd);
            }
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
