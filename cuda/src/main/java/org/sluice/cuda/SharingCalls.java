package org.sluice.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * The driver's functions that share memory between processes: legacy IPC handles and virtual memory management. Answers are the
 * driver's results, since whether memory can be shared is found by trying; what lacks a function answers {@link #NO_FUNCTION}.
 */
@SuppressWarnings("restricted")
final class SharingCalls {
    static final int HANDLE_BYTES = 64;
    static final int UUID_BYTES = 16;
    /** Not a CUresult: this driver is too old. */
    static final int NO_FUNCTION = -1;

    // values of cuda.h
    private static final int LAZY_ENABLE_PEER_ACCESS = 1;
    private static final int HANDLE_TYPE_POSIX_FD = 1;
    private static final int LOCATION_DEVICE = 1;
    private static final int ACCESS_READ_WRITE = 3;
    private static final int ATTRIBUTE_BUFFER_ID = 7;

    private static final ValueLayout.OfInt I = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong L = ValueLayout.JAVA_LONG;
    private static final MemoryLayout HANDLE =
            MemoryLayout.structLayout(MemoryLayout.sequenceLayout(HANDLE_BYTES, ValueLayout.JAVA_BYTE));

    private static final MethodHandle CALL_L = handle(L);
    private static final MethodHandle CALL_LI = handle(L, I);
    private static final MethodHandle CALL_LL = handle(L, L);
    private static final MethodHandle CALL_LLI = handle(L, L, I);
    private static final MethodHandle CALL_LIL = handle(L, I, L);
    private static final MethodHandle CALL_LLL = handle(L, L, L);
    private static final MethodHandle CALL_LLIL = handle(L, L, I, L);
    private static final MethodHandle CALL_LLLL = handle(L, L, L, L);
    private static final MethodHandle CALL_LLLLL = handle(L, L, L, L, L);
    private static final MethodHandle CALL_LLLLLL = handle(L, L, L, L, L, L);
    private static final MethodHandle CALL_OPEN = handle(L, HANDLE, I);

    private final @Nullable MemorySegment cuDeviceGetUuid;
    private final @Nullable MemorySegment cuPointerGetAttribute;
    private final @Nullable MemorySegment cuMemGetAddressRange;
    private final @Nullable MemorySegment cuIpcGetMemHandle;
    private final @Nullable MemorySegment cuIpcOpenMemHandle;
    private final @Nullable MemorySegment cuIpcCloseMemHandle;
    private final @Nullable MemorySegment cuMemRetainAllocationHandle;
    private final @Nullable MemorySegment cuMemExportToShareableHandle;
    private final @Nullable MemorySegment cuMemImportFromShareableHandle;
    private final @Nullable MemorySegment cuMemAddressReserve;
    private final @Nullable MemorySegment cuMemAddressFree;
    private final @Nullable MemorySegment cuMemMap;
    private final @Nullable MemorySegment cuMemUnmap;
    private final @Nullable MemorySegment cuMemSetAccess;
    private final @Nullable MemorySegment cuMemRelease;
    private final @Nullable MemorySegment cuMemcpyPeerAsync;

    SharingCalls(SymbolLookup symbols) {
        MemorySegment uuid = find(symbols, "cuDeviceGetUuid_v2");
        cuDeviceGetUuid = uuid != null ? uuid : find(symbols, "cuDeviceGetUuid");
        cuPointerGetAttribute = find(symbols, "cuPointerGetAttribute");
        cuMemGetAddressRange = find(symbols, "cuMemGetAddressRange_v2");
        cuIpcGetMemHandle = find(symbols, "cuIpcGetMemHandle");
        cuIpcOpenMemHandle = find(symbols, "cuIpcOpenMemHandle_v2");
        cuIpcCloseMemHandle = find(symbols, "cuIpcCloseMemHandle");
        cuMemRetainAllocationHandle = find(symbols, "cuMemRetainAllocationHandle");
        cuMemExportToShareableHandle = find(symbols, "cuMemExportToShareableHandle");
        cuMemImportFromShareableHandle = find(symbols, "cuMemImportFromShareableHandle");
        cuMemAddressReserve = find(symbols, "cuMemAddressReserve");
        cuMemAddressFree = find(symbols, "cuMemAddressFree");
        cuMemMap = find(symbols, "cuMemMap");
        cuMemUnmap = find(symbols, "cuMemUnmap");
        cuMemSetAccess = find(symbols, "cuMemSetAccess");
        cuMemRelease = find(symbols, "cuMemRelease");
        cuMemcpyPeerAsync = find(symbols, "cuMemcpyPeerAsync");
    }

    private static @Nullable MemorySegment find(SymbolLookup symbols, String name) {
        return symbols.find(name).orElse(null);
    }

    private static MethodHandle handle(MemoryLayout... arguments) {
        return Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(I, arguments));
    }

    private interface Call {
        int on(MemorySegment function) throws Throwable;
    }

    private static int call(@Nullable MemorySegment function, Call call) {
        if (function == null) {
            return NO_FUNCTION;
        }
        try {
            return call.on(function);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Names a device in every process and container; zeros where the driver cannot tell. */
    byte[] deviceUuid(int device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment uuid = arena.allocate(UUID_BYTES);
            int result = call(cuDeviceGetUuid, f -> (int) CALL_LI.invokeExact(f, uuid.address(), device));
            return result == CudaDriver.SUCCESS ? uuid.toArray(ValueLayout.JAVA_BYTE) : new byte[UUID_BYTES];
        }
    }

    /** Between two contexts that need not reach each other: the driver goes through pinned memory then. */
    int memcpyPeer(long target, long targetContext, long source, long sourceContext, long bytes, long stream) {
        return call(cuMemcpyPeerAsync, f ->
                (int) CALL_LLLLLL.invokeExact(f, target, targetContext, source, sourceContext, bytes, stream));
    }

    /** The allocation or mapping that an address lies in. @param range two longs: first address and length */
    int addressRange(long address, MemorySegment range) {
        return call(cuMemGetAddressRange, f ->
                (int) CALL_LLL.invokeExact(f, range.address(), range.address() + Long.BYTES, address));
    }

    /** A number that no other allocation of this process ever has, or the address where the driver has none. */
    long bufferId(long address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(L);
            int result = call(cuPointerGetAttribute, f ->
                    (int) CALL_LIL.invokeExact(f, out.address(), ATTRIBUTE_BUFFER_ID, address));
            return result == CudaDriver.SUCCESS ? out.get(L, 0) : address;
        }
    }

    /** @param handle {@link #HANDLE_BYTES} */
    int ipcHandle(MemorySegment handle, long address) {
        return call(cuIpcGetMemHandle, f -> (int) CALL_LL.invokeExact(f, handle.address(), address));
    }

    int ipcOpen(MemorySegment address, MemorySegment handle) {
        return call(cuIpcOpenMemHandle, f ->
                (int) CALL_OPEN.invokeExact(f, address.address(), handle, LAZY_ENABLE_PEER_ACCESS));
    }

    int ipcClose(long address) {
        return call(cuIpcCloseMemHandle, f -> (int) CALL_L.invokeExact(f, address));
    }

    /** @param handle a long, to be given to {@link #release} */
    int retain(MemorySegment handle, long address) {
        return call(cuMemRetainAllocationHandle, f -> (int) CALL_LL.invokeExact(f, handle.address(), address));
    }

    /** @param descriptor an int */
    int exportDescriptor(MemorySegment descriptor, long handle) {
        return call(cuMemExportToShareableHandle, f ->
                (int) CALL_LLIL.invokeExact(f, descriptor.address(), handle, HANDLE_TYPE_POSIX_FD, 0L));
    }

    /** The descriptor stays the caller's. @param handle a long, to be given to {@link #release} */
    int importDescriptor(MemorySegment handle, int descriptor) {
        return call(cuMemImportFromShareableHandle, f ->
                (int) CALL_LLI.invokeExact(f, handle.address(), (long) descriptor, HANDLE_TYPE_POSIX_FD));
    }

    int reserve(MemorySegment address, long bytes) {
        return call(cuMemAddressReserve, f -> (int) CALL_LLLLL.invokeExact(f, address.address(), bytes, 0L, 0L, 0L));
    }

    int unreserve(long address, long bytes) {
        return call(cuMemAddressFree, f -> (int) CALL_LL.invokeExact(f, address, bytes));
    }

    int map(long address, long bytes, long handle) {
        return call(cuMemMap, f -> (int) CALL_LLLLL.invokeExact(f, address, bytes, 0L, handle, 0L));
    }

    int unmap(long address, long bytes) {
        return call(cuMemUnmap, f -> (int) CALL_LL.invokeExact(f, address, bytes));
    }

    /** Lets a device read and write mapped memory. */
    int setAccess(long address, long bytes, int device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment access = arena.allocate(3 * Integer.BYTES, 4); // CUmemAccessDesc
            access.setAtIndex(I, 0, LOCATION_DEVICE);
            access.setAtIndex(I, 1, device);
            access.setAtIndex(I, 2, ACCESS_READ_WRITE);
            return call(cuMemSetAccess, f -> (int) CALL_LLLL.invokeExact(f, address, bytes, access.address(), 1L));
        }
    }

    int release(long handle) {
        return call(cuMemRelease, f -> (int) CALL_L.invokeExact(f, handle));
    }
}
