package org.sluice.linux;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An open file descriptor that this process owns, and what the kernel says of it. Any thread may ask; nobody may be inside a call
 * when it is closed.
 */
@SuppressWarnings("restricted")
public final class Descriptor implements AutoCloseable {
    // <fcntl.h>, <sys/stat.h> and <linux/memfd.h> of Linux, the same on x86-64 and AArch64
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_GET_SEALS = 1034;
    private static final int O_ACCMODE = 3;
    private static final int O_RDWR = 2;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_BASIC = 0x7ff;
    private static final int STATX_BYTES = 256;
    private static final int STATX_MODE = 28;
    private static final int STATX_SIZE = 40;
    private static final int STATFS_BYTES = 120;
    private static final int EINTR = 4;

    /** The file cannot become shorter. */
    public static final int SEAL_SHRINK = 2;
    /** The file cannot become longer. */
    public static final int SEAL_GROW = 4;
    /** No more seals can be set. */
    public static final int SEAL_SEAL = 1;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final MethodHandle FCNTL =
            Libc.variadicWithErrno("fcntl", FunctionDescriptor.of(INT, INT, INT, INT), 2);
    private static final MethodHandle STATX = Libc.withErrno(
            "statx", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, INT, INT, ValueLayout.ADDRESS));
    private static final MethodHandle FSTATFS =
            Libc.withErrno("fstatfs", FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS));
    private static final FunctionDescriptor AT = FunctionDescriptor.of(LONG, INT, LONG, LONG, LONG);
    private static final MethodHandle PREAD = Libc.withErrno("pread", AT);
    private static final MethodHandle PWRITE = Libc.withErrno("pwrite", AT);
    private static final MethodHandle CLOSE = Libc.function("close", FunctionDescriptor.of(INT, INT));

    private final int fd;
    private final AtomicBoolean open = new AtomicBoolean(true);

    /** Takes over a descriptor. */
    public Descriptor(int fd) {
        this.fd = fd;
    }

    public int fd() {
        return fd;
    }

    /** Another descriptor of the same open file. */
    public Descriptor duplicate() throws LinuxException {
        return new Descriptor(fcntl(F_DUPFD_CLOEXEC, 0, "duplicate a descriptor"));
    }

    /** As {@link #duplicate}, of a descriptor that is not owned by one of these. */
    @SuppressWarnings("resource")
    public static Descriptor duplicateOf(int fd) throws LinuxException {
        return new Descriptor(fd).duplicate();
    }

    /** Whether it can be read and written. */
    public boolean readsAndWrites() throws LinuxException {
        return (fcntl(F_GETFL, 0, "flags of a descriptor") & O_ACCMODE) == O_RDWR;
    }

    /** From now on calls on it may wait, those excepted that are told to return at once. */
    void mayWait() throws LinuxException {
        fcntl(F_SETFL, 0, "fcntl F_SETFL");
    }

    /** The seals that are set; 0 for a file that cannot have any. */
    public int seals() {
        try {
            return fcntl(F_GET_SEALS, 0, "seals of a descriptor");
        } catch (LinuxException e) {
            return 0;
        }
    }

    /** Sets seals. @return false where the file takes no more, or none at all */
    public boolean addSeals(int seals) {
        try {
            return fcntl(F_ADD_SEALS, seals, "seal a descriptor") == 0;
        } catch (LinuxException e) {
            return false;
        }
    }

    /** {@code st_mode}: kind and permissions. */
    public int mode() throws LinuxException {
        return Short.toUnsignedInt(statx(STATX_MODE, ValueLayout.JAVA_SHORT_UNALIGNED));
    }

    /** Bytes of the file now. */
    public long size() throws LinuxException {
        return Call.make((state, scratch) -> {
            MemorySegment facts = statx(state, scratch.allocate(STATX_BYTES, 8));
            return facts.get(LONG, STATX_SIZE);
        });
    }

    private short statx(int offset, ValueLayout.OfShort layout) throws LinuxException {
        return Call.make((state, scratch) ->
                statx(state, scratch.allocate(STATX_BYTES, 8)).get(layout, offset));
    }

    private MemorySegment statx(MemorySegment state, MemorySegment facts) throws Throwable {
        int result =
                (int) STATX.invokeExact(state, fd, facts.asSlice(STATX_BYTES - 1L), AT_EMPTY_PATH, STATX_BASIC, facts);
        Call.check(result, state, "statx of a descriptor");
        return facts;
    }

    /** The magic number of the file system that it lives in, as in {@code statfs(2)}. */
    public long fileSystem() throws LinuxException {
        return Call.make((state, scratch) -> {
            MemorySegment facts = scratch.allocate(STATFS_BYTES, 8);
            int result = (int) FSTATFS.invokeExact(state, fd, facts);
            Call.check(result, state, "statfs of a descriptor");
            return facts.get(LONG, 0);
        });
    }

    /** Copies bytes of the file to memory, whatever happens to the file meanwhile. @return bytes copied, fewer where the file ends */
    public long read(long address, long bytes, long offset) throws LinuxException {
        return move(true, address, bytes, offset);
    }

    /** Copies memory to the file. @return bytes copied, always all of them */
    public long write(long address, long bytes, long offset) throws LinuxException {
        return move(false, address, bytes, offset);
    }

    private long move(boolean in, long address, long bytes, long offset) throws LinuxException {
        return Call.make((state, scratch) -> {
            long done = 0;
            while (done < bytes) {
                long n = in
                        ? (long) PREAD.invokeExact(state, fd, address + done, bytes - done, offset + done)
                        : (long) PWRITE.invokeExact(state, fd, address + done, bytes - done, offset + done);
                if (n < 0 && Libc.errno(state) != EINTR) {
                    throw new LinuxException(in ? "read of a file" : "write to a file", Libc.errno(state));
                }
                if (n == 0) {
                    break;
                }
                done += Math.max(0, n);
            }
            return done;
        });
    }

    private int fcntl(int command, int argument, String what) throws LinuxException {
        return Call.make((state, scratch) -> {
            int result = (int) FCNTL.invokeExact(state, fd, command, argument);
            Call.check(result, state, what);
            return result;
        });
    }

    /** Idempotent. */
    @Override
    public void close() {
        if (open.compareAndSet(true, false)) {
            try {
                int ignored = (int) CLOSE.invokeExact(fd);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }
    }
}
