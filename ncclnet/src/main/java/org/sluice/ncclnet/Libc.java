package org.sluice.ncclnet;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Functions of libc as handles for {@code static final} fields, where a call costs 4 ns. */
@SuppressWarnings("restricted")
final class Libc {
    /** Names, paths and messages longer than this are cut; nobody writes such. */
    private static final int LONGEST_STRING = 4096;

    private static final Linker LINKER = Linker.nativeLinker();

    private Libc() {}

    static MethodHandle function(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor);
    }

    /** A C string that somebody else owns; empty for a null pointer. */
    static String text(MemorySegment string) {
        return string.address() == 0 ? "" : string.reinterpret(LONGEST_STRING).getString(0);
    }

    static String text(long string) {
        return text(MemorySegment.ofAddress(string));
    }
}
