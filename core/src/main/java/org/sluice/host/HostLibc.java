package org.sluice.host;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import org.sluice.spi.GpuException;

/** The few functions of libc that host GPUs need. Failures name the call, the bytes and errno. */
@SuppressWarnings("restricted")
final class HostLibc {
    // values of <sys/mman.h>, <fcntl.h> and <linux/memfd.h>, the same on x86-64 and AArch64
    private static final int PROT_READ_WRITE = 0x1 | 0x2;
    private static final int MAP_SHARED = 0x01;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x02 | 0x20;
    private static final int MADV_HUGEPAGE = 14;
    private static final int MFD_CLOEXEC = 0x1;
    private static final int MFD_ALLOW_SEALING = 0x2;
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_GET_SEALS = 1034;
    private static final int SEALS = 0x1 | 0x2 | 0x4; // no more seals, no shrinking, no growing
    private static final int SEEK_END = 2;

    private static final ValueLayout.OfInt I = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong L = ValueLayout.JAVA_LONG;
    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle MMAP = withErrno("mmap", FunctionDescriptor.of(L, L, L, I, I, I, L));
    private static final MethodHandle MUNMAP = LINKER.downcallHandle(symbol("munmap"), FunctionDescriptor.of(I, L, L));
    private static final MethodHandle MADVISE =
            LINKER.downcallHandle(symbol("madvise"), FunctionDescriptor.of(I, L, L, I));
    private static final MethodHandle MEMFD_CREATE =
            withErrno("memfd_create", FunctionDescriptor.of(I, ValueLayout.ADDRESS, I));
    private static final MethodHandle FTRUNCATE = withErrno("ftruncate", FunctionDescriptor.of(I, I, L));
    private static final MethodHandle LSEEK = withErrno("lseek", FunctionDescriptor.of(L, I, L, I));
    private static final MethodHandle CLOSE = LINKER.downcallHandle(symbol("close"), FunctionDescriptor.of(I, I));
    private static final MethodHandle FCNTL = LINKER.downcallHandle(
            symbol("fcntl"),
            FunctionDescriptor.of(I, I, I, I),
            Linker.Option.captureCallState("errno"),
            Linker.Option.firstVariadicArg(2));

    private HostLibc() {}

    /** Page-aligned memory of this process alone, given when first touched. */
    static long mapPrivate(long bytes) {
        return map(bytes, MAP_PRIVATE_ANONYMOUS, -1);
    }

    /** A file's memory from its beginning, shared with whoever else maps it. */
    static long mapShared(int fd, long bytes) {
        return map(bytes, MAP_SHARED, fd);
    }

    private static long map(long bytes, int flags, int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            long at = (long) MMAP.invokeExact(state, 0L, bytes, PROT_READ_WRITE, flags, fd, 0L);
            if (at == -1) {
                throw failure("mmap of " + bytes + " bytes for a host GPU", state);
            }
            return at;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    static void unmap(long address, long bytes) {
        try {
            int ignored = (int) MUNMAP.invokeExact(address, bytes);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** A hint: where huge pages are off, small ones serve. */
    static void wantHugePages(long address, long bytes) {
        try {
            int ignored = (int) MADVISE.invokeExact(address, bytes, MADV_HUGEPAGE);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** A memfd of so many bytes that nobody can shrink or grow: who maps it cannot be hurt by its owner. */
    static int sealedMemory(String name, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            int fd = (int) MEMFD_CREATE.invokeExact(state, arena.allocateFrom(name), MFD_CLOEXEC | MFD_ALLOW_SEALING);
            if (fd < 0) {
                throw failure("memfd_create for a host GPU", state);
            }
            boolean ok = (int) FTRUNCATE.invokeExact(state, fd, bytes) == 0
                    && (int) FCNTL.invokeExact(state, fd, F_ADD_SEALS, SEALS) == 0;
            if (!ok) {
                GpuException e = failure("a memfd of " + bytes + " bytes for a host GPU", state);
                close(fd);
                throw e;
            }
            return fd;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** Length of a memfd that can no longer change. @throws GpuException when it could: a read beyond a new end kills the JVM */
    static long sealedBytes(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            int seals = (int) FCNTL.invokeExact(state, fd, F_GET_SEALS, 0);
            if (seals < 0 || (seals & SEALS) != SEALS) {
                throw new GpuException(
                        "a descriptor that was shared with a host GPU is no memfd sealed against shrinking", 0);
            }
            long bytes = (long) LSEEK.invokeExact(state, fd, 0L, SEEK_END);
            if (bytes < 0) {
                throw failure("lseek of shared memory", state);
            }
            return bytes;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    static int duplicate(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            int copy = (int) FCNTL.invokeExact(state, fd, F_DUPFD_CLOEXEC, 0);
            if (copy < 0) {
                throw failure("another descriptor of shared memory (RLIMIT_NOFILE?)", state);
            }
            return copy;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    static void close(int fd) {
        try {
            int ignored = (int) CLOSE.invokeExact(fd);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    private static MethodHandle withErrno(String name, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(symbol(name), descriptor, Linker.Option.captureCallState("errno"));
    }

    private static MemorySegment symbol(String name) {
        return LINKER.defaultLookup().findOrThrow(name);
    }

    private static GpuException failure(String what, MemorySegment state) {
        int errno = (int) ERRNO.get(state, 0L);
        return new GpuException(what + " failed (errno " + errno + ")", errno);
    }

    private static RuntimeException rethrow(Throwable e) {
        if (e instanceof RuntimeException r) {
            return r;
        }
        if (e instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(e);
    }
}
