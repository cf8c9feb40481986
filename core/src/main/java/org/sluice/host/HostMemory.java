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
import java.util.Optional;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;

/**
 * A block of plain memory from {@code mmap}: page-aligned, given by the kernel when first touched and in huge pages where it
 * has them, so that a large block costs nothing until it is used ({@link Arena#allocate} would clear it first, at 1 GB/s).
 */
@SuppressWarnings("restricted")
final class HostMemory implements GpuMemory {
    // values of <sys/mman.h> and <bits/mman-linux.h> on Linux, the same on x86-64 and AArch64
    private static final int PROT_READ_WRITE = 0x1 | 0x2;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x02 | 0x20;
    private static final int MADV_HUGEPAGE = 14;
    private static final long HUGE_PAGE = 2 << 20;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle MMAP = function(
            "mmap",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG));
    private static final MethodHandle MUNMAP = function(
            "munmap", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    private static final MethodHandle MADVISE = function(
            "madvise",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));

    private final long mapped;
    private final long mappedBytes;
    private final long address;
    private final long size;
    private final MemorySegment segment;
    private boolean open = true;

    private HostMemory(long mapped, long mappedBytes, long address, long size) {
        this.mapped = mapped;
        this.mappedBytes = mappedBytes;
        this.address = address;
        this.size = size;
        this.segment = MemorySegment.ofAddress(address).reinterpret(size);
    }

    static HostMemory allocate(long size) {
        // room to start on a huge page, or the kernel uses small ones at both ends
        long bytes = size < HUGE_PAGE ? size : Math.addExact(size, HUGE_PAGE);
        long at = map(bytes);
        if (size < HUGE_PAGE) {
            return new HostMemory(at, bytes, at, size);
        }
        long aligned = (at + HUGE_PAGE - 1) & -HUGE_PAGE;
        try {
            // a hint: where huge pages are off, small ones serve
            int ignored = (int) MADVISE.invokeExact(aligned, size, MADV_HUGEPAGE);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
        return new HostMemory(at, bytes, aligned, size);
    }

    static HostMemory adopt(long address, long size) {
        return new HostMemory(0, 0, address, size);
    }

    private static long map(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CALL_STATE);
            long at = (long) MMAP.invokeExact(state, 0L, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
            if (at == -1) {
                int errno = (int) ERRNO.get(state, 0L);
                throw new GpuException(
                        "mmap of " + bytes + " bytes for a host GPU failed (errno " + errno + ")", errno);
            }
            return at;
        } catch (GpuException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static MethodHandle function(String name, FunctionDescriptor descriptor) {
        MemorySegment symbol = LINKER.defaultLookup().findOrThrow(name);
        return name.equals("mmap")
                ? LINKER.downcallHandle(symbol, descriptor, Linker.Option.captureCallState("errno"))
                : LINKER.downcallHandle(symbol, descriptor);
    }

    @Override
    public long address() {
        return address;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public MemoryKind kind() {
        return MemoryKind.HOST;
    }

    @Override
    public Optional<MemorySegment> host() {
        return Optional.of(segment);
    }

    MemorySegment segment() {
        return segment;
    }

    @Override
    public void close() {
        if (open && mappedBytes > 0) {
            try {
                int ignored = (int) MUNMAP.invokeExact(mapped, mappedBytes);
            } catch (Throwable e) {
                throw new AssertionError(e);
            }
        }
        open = false;
    }
}
