package org.sluice.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A shared mapping of a file into this process. It lives on when the descriptor is closed. Who loads from a mapping of a file that can
 * shrink risks the process: map only what is {@linkplain Descriptor#SEAL_SHRINK sealed}.
 */
@SuppressWarnings("restricted")
public final class FileMapping implements AutoCloseable {
    // <sys/mman.h> of Linux
    private static final int PROT_READ_WRITE = 1 | 2;
    private static final int MAP_SHARED = 1;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MethodHandle MMAP =
            Libc.withErrno("mmap", FunctionDescriptor.of(LONG, LONG, LONG, INT, INT, INT, LONG));
    private static final MethodHandle MUNMAP = Libc.withErrno("munmap", FunctionDescriptor.of(INT, LONG, LONG));

    private final long address;
    private final long bytes;
    private final AtomicBoolean open = new AtomicBoolean(true);

    private FileMapping(long address, long bytes) {
        this.address = address;
        this.bytes = bytes;
    }

    /** @param offset a multiple of the page size */
    public static FileMapping of(Descriptor file, long offset, long bytes) throws LinuxException {
        return Call.make((state, scratch) -> {
            long at = (long) MMAP.invokeExact(state, 0L, bytes, PROT_READ_WRITE, MAP_SHARED, file.fd(), offset);
            if (at == -1) {
                throw new LinuxException("mmap of " + bytes + " bytes", Libc.errno(state));
            }
            return new FileMapping(at, bytes);
        });
    }

    public long address() {
        return address;
    }

    public long bytes() {
        return bytes;
    }

    /** The bytes themselves; nobody may touch them once this is closed. */
    public MemorySegment segment() {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    /** Idempotent. */
    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            try {
                Call.make((state, scratch) -> (int) MUNMAP.invokeExact(state, address, bytes));
            } catch (LinuxException e) {
                throw new AssertionError(e);
            }
        }
    }
}
