package org.sluice.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.GpuException;

/**
 * The functions of {@code libcuda.so.1} that Sluice calls, by their own names without the version suffix.
 *
 * <p>There is one {@code static final} handle for each C signature, called with the function's address: 8 ns a call, against 26
 * for handles kept in objects. Pointers and handles travel as {@code long}, so that a call makes no garbage. Methods on the
 * data path return the driver's result as it is; the others throw.
 */
@SuppressWarnings("restricted")
final class CudaDriver {
    // values of enum cudaError_enum in cuda.h
    static final int SUCCESS = 0;
    static final int INVALID_VALUE = 1;
    static final int NO_DEVICE = 100;
    static final int INVALID_DEVICE = 101;
    static final int INVALID_CONTEXT = 201;
    static final int PEER_ACCESS_UNSUPPORTED = 217;
    static final int NOT_READY = 600;
    private static final int PEER_ACCESS_ALREADY_ENABLED = 704;

    private static final int CU_STREAM_NON_BLOCKING = 1;
    private static final int CU_EVENT_DISABLE_TIMING = 2;
    private static final int CU_MEMHOSTALLOC_PORTABLE = 1;
    private static final int CU_MEMHOSTALLOC_DEVICEMAP = 2;
    private static final int CU_MEM_RANGE_HANDLE_TYPE_DMA_BUF_FD = 1;

    // CU_DEVICE_ATTRIBUTE_GPU_DIRECT_RDMA_..., and what their values mean
    private static final int ATTRIBUTE_RDMA_FLUSH_OPTIONS = 117;
    private static final int ATTRIBUTE_RDMA_WRITES_ORDERING = 118;
    private static final int RDMA_FLUSH_BY_HOST = 1;
    private static final int RDMA_WRITES_ORDERED_FOR_OWNER = 100;
    private static final int CURRENT_CONTEXT = 0;

    private static final ValueLayout.OfInt I = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong L = ValueLayout.JAVA_LONG;

    // one handle a signature, named by its arguments: i is int, l is a long or a pointer
    private static final MethodHandle CALL_I = handle(I);
    private static final MethodHandle CALL_II = handle(I, I);
    private static final MethodHandle CALL_L = handle(L);
    private static final MethodHandle CALL_IL = handle(I, L);
    private static final MethodHandle CALL_LI = handle(L, I);
    private static final MethodHandle CALL_LL = handle(L, L);
    private static final MethodHandle CALL_LII = handle(L, I, I);
    private static final MethodHandle CALL_LIL = handle(L, I, L);
    private static final MethodHandle CALL_LLI = handle(L, L, I);
    private static final MethodHandle CALL_LLL = handle(L, L, L);
    private static final MethodHandle CALL_LLLL = handle(L, L, L, L);
    private static final MethodHandle CALL_LLLIL = handle(L, L, L, I, L);
    private static final MethodHandle CALL_LAUNCH = handle(L, I, I, I, I, I, I, I, L, L, L);

    private final SymbolLookup symbols;
    private final SharingCalls sharing;
    private final MemorySegment cuInit;
    private final MemorySegment cuDriverGetVersion;
    private final MemorySegment cuGetErrorName;
    private final MemorySegment cuGetErrorString;
    private final MemorySegment cuDeviceGetCount;
    private final MemorySegment cuDeviceGet;
    private final MemorySegment cuDeviceGetName;
    private final MemorySegment cuDeviceGetPCIBusId;
    private final MemorySegment cuDeviceGetAttribute;
    private final @Nullable MemorySegment cuFlushGPUDirectRDMAWrites;
    private final MemorySegment cuDevicePrimaryCtxRetain;
    private final MemorySegment cuDevicePrimaryCtxRelease;
    private final MemorySegment cuCtxSetCurrent;
    private final MemorySegment cuDeviceCanAccessPeer;
    private final MemorySegment cuCtxEnablePeerAccess;
    private final MemorySegment cuMemAlloc;
    private final MemorySegment cuMemFree;
    private final MemorySegment cuMemHostAlloc;
    private final MemorySegment cuMemFreeHost;
    private final MemorySegment cuMemHostGetDevicePointer;
    private final MemorySegment cuPointerGetAttribute;
    private final @Nullable MemorySegment cuMemGetHandleForAddressRange;
    private final MemorySegment cuMemcpyDtoHAsync;
    private final MemorySegment cuMemcpyHtoDAsync;
    private final MemorySegment cuMemcpyDtoDAsync;
    private final MemorySegment cuStreamCreate;
    private final MemorySegment cuStreamQuery;
    private final MemorySegment cuStreamDestroy;
    private final MemorySegment cuEventCreate;
    private final MemorySegment cuEventRecord;
    private final MemorySegment cuEventQuery;
    private final MemorySegment cuEventDestroy;
    private final MemorySegment cuModuleLoadData;
    private final MemorySegment cuModuleGetFunction;
    private final MemorySegment cuModuleUnload;
    private final MemorySegment cuLaunchKernel;

    private CudaDriver(SymbolLookup symbols) throws CudaUnavailableException {
        this.symbols = symbols;
        this.sharing = new SharingCalls(symbols);
        cuInit = symbol("cuInit");
        cuDriverGetVersion = symbol("cuDriverGetVersion");
        cuGetErrorName = symbol("cuGetErrorName");
        cuGetErrorString = symbol("cuGetErrorString");
        cuDeviceGetCount = symbol("cuDeviceGetCount");
        cuDeviceGet = symbol("cuDeviceGet");
        cuDeviceGetName = symbol("cuDeviceGetName");
        cuDeviceGetPCIBusId = symbol("cuDeviceGetPCIBusId");
        cuDeviceGetAttribute = symbol("cuDeviceGetAttribute");
        // since CUDA 11.3
        cuFlushGPUDirectRDMAWrites = symbols.find("cuFlushGPUDirectRDMAWrites").orElse(null);
        cuDevicePrimaryCtxRetain = symbol("cuDevicePrimaryCtxRetain");
        cuDevicePrimaryCtxRelease = symbol("cuDevicePrimaryCtxRelease_v2");
        cuCtxSetCurrent = symbol("cuCtxSetCurrent");
        cuDeviceCanAccessPeer = symbol("cuDeviceCanAccessPeer");
        cuCtxEnablePeerAccess = symbol("cuCtxEnablePeerAccess");
        cuMemAlloc = symbol("cuMemAlloc_v2");
        cuMemFree = symbol("cuMemFree_v2");
        cuMemHostAlloc = symbol("cuMemHostAlloc");
        cuMemFreeHost = symbol("cuMemFreeHost");
        cuMemHostGetDevicePointer = symbol("cuMemHostGetDevicePointer_v2");
        cuPointerGetAttribute = symbol("cuPointerGetAttribute");
        // since CUDA 11.7, and asked for by few: its absence is no reason to refuse a driver
        cuMemGetHandleForAddressRange =
                symbols.find("cuMemGetHandleForAddressRange").orElse(null);
        cuMemcpyDtoHAsync = symbol("cuMemcpyDtoHAsync_v2");
        cuMemcpyHtoDAsync = symbol("cuMemcpyHtoDAsync_v2");
        cuMemcpyDtoDAsync = symbol("cuMemcpyDtoDAsync_v2");
        cuStreamCreate = symbol("cuStreamCreate");
        cuStreamQuery = symbol("cuStreamQuery");
        cuStreamDestroy = symbol("cuStreamDestroy_v2");
        cuEventCreate = symbol("cuEventCreate");
        cuEventRecord = symbol("cuEventRecord");
        cuEventQuery = symbol("cuEventQuery");
        cuEventDestroy = symbol("cuEventDestroy_v2");
        cuModuleLoadData = symbol("cuModuleLoadData");
        cuModuleGetFunction = symbol("cuModuleGetFunction");
        cuModuleUnload = symbol("cuModuleUnload");
        cuLaunchKernel = symbol("cuLaunchKernel");
    }

    /**
     * Loads the library, for as long as the JVM lives.
     *
     * @param library a name that the dynamic linker looks for, or a path
     */
    static CudaDriver load(String library) throws CudaUnavailableException {
        SymbolLookup symbols;
        try {
            symbols = library.contains("/")
                    ? SymbolLookup.libraryLookup(Path.of(library), Arena.global())
                    : SymbolLookup.libraryLookup(library, Arena.global());
        } catch (IllegalArgumentException e) {
            throw new CudaUnavailableException(
                    "there is no CUDA driver: the dynamic linker finds no " + library
                            + "; install the NVIDIA driver, or in a container pass the GPUs in (--gpus all)",
                    e);
        }
        return new CudaDriver(symbols);
    }

    /** What of it shares memory between processes. */
    SharingCalls sharing() {
        return sharing;
    }

    private MemorySegment symbol(String name) throws CudaUnavailableException {
        return symbols.find(name)
                .orElseThrow(() -> new CudaUnavailableException(
                        "the CUDA driver has no " + name
                                + ": it is too old, Sluice needs CUDA 11.0 (driver 450) or newer",
                        null));
    }

    private static MethodHandle handle(MemoryLayout... arguments) {
        return Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(I, arguments));
    }

    /** What a call's failure is thrown as. @param where the GPU, as messages name it */
    GpuException failure(String call, int result, String where) {
        return new GpuException(where + ": " + call + " failed: " + describe(result), result);
    }

    void check(int result, String call, String where) {
        if (result != SUCCESS) {
            throw failure(call, result, where);
        }
    }

    /** {@code CUDA_ERROR_OUT_OF_MEMORY (2, out of memory)}. */
    String describe(int result) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(L);
            int named = (int) CALL_IL.invokeExact(cuGetErrorName, result, out.address());
            String name = named == SUCCESS ? text(out) : "an unknown CUDA error";
            out.set(L, 0, 0);
            int explained = (int) CALL_IL.invokeExact(cuGetErrorString, result, out.address());
            return name + " (" + result + (explained == SUCCESS ? ", " + text(out) : "") + ")";
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** The C string that a pointer in {@code cell} points to. */
    private static String text(MemorySegment cell) {
        long address = cell.get(L, 0);
        return address == 0
                ? "unnamed"
                : MemorySegment.ofAddress(address).reinterpret(512).getString(0);
    }

    // ---- driver and devices ----

    int init() {
        try {
            return (int) CALL_I.invokeExact(cuInit, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** 1000 x major + 10 x minor of the newest CUDA that the driver serves. */
    int version() {
        return intOf("cuDriverGetVersion", cuDriverGetVersion, "CUDA driver");
    }

    int deviceCount() {
        return intOf("cuDeviceGetCount", cuDeviceGetCount, "CUDA driver");
    }

    private int intOf(String call, MemorySegment function, String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(I);
            check((int) CALL_L.invokeExact(function, out.address()), call, where);
            return out.get(I, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    int device(int ordinal, String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(I);
            check((int) CALL_LI.invokeExact(cuDeviceGet, out.address(), ordinal), "cuDeviceGet", where);
            return out.get(I, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    String deviceName(int device, String where) {
        return deviceText("cuDeviceGetName", cuDeviceGetName, device, where);
    }

    /** As the driver writes it, upper case. */
    String devicePciBusId(int device, String where) {
        return deviceText("cuDeviceGetPCIBusId", cuDeviceGetPCIBusId, device, where);
    }

    private String deviceText(String call, MemorySegment function, int device, String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(256);
            check((int) CALL_LII.invokeExact(function, out.address(), 256, device), call, where);
            return out.getString(0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    int deviceAttribute(int attribute, int device, String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(I);
            check(
                    (int) CALL_LII.invokeExact(cuDeviceGetAttribute, out.address(), attribute, device),
                    "cuDeviceGetAttribute",
                    where);
            return out.get(I, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /**
     * Whether kernels and copies of a device see what other devices have written into its memory only after {@link
     * #flushRemoteWrites}. Where neither is known (a driver before CUDA 11.3) nothing can be done about it.
     */
    boolean remoteWritesNeedFlush(int device, String where) {
        return cuFlushGPUDirectRDMAWrites != null
                && deviceAttribute(ATTRIBUTE_RDMA_WRITES_ORDERING, device, where) < RDMA_WRITES_ORDERED_FOR_OWNER
                && (deviceAttribute(ATTRIBUTE_RDMA_FLUSH_OPTIONS, device, where) & RDMA_FLUSH_BY_HOST) != 0;
    }

    /** For the current context's own device. */
    void flushRemoteWrites(String where) {
        if (cuFlushGPUDirectRDMAWrites == null) {
            return;
        }
        try {
            check(
                    (int) CALL_II.invokeExact(
                            cuFlushGPUDirectRDMAWrites, CURRENT_CONTEXT, RDMA_WRITES_ORDERED_FOR_OWNER),
                    "cuFlushGPUDirectRDMAWrites",
                    where);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    long retainPrimaryContext(int device, String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(L);
            check(
                    (int) CALL_LI.invokeExact(cuDevicePrimaryCtxRetain, out.address(), device),
                    "cuDevicePrimaryCtxRetain",
                    where);
            return out.get(L, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    void releasePrimaryContext(int device, String where) {
        try {
            check((int) CALL_I.invokeExact(cuDevicePrimaryCtxRelease, device), "cuDevicePrimaryCtxRelease", where);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    void setCurrent(long context, String where) {
        try {
            check((int) CALL_L.invokeExact(cuCtxSetCurrent, context), "cuCtxSetCurrent", where);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    boolean canAccessPeer(int device, int peer, String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(I);
            check(
                    (int) CALL_LII.invokeExact(cuDeviceCanAccessPeer, out.address(), device, peer),
                    "cuDeviceCanAccessPeer",
                    where);
            return out.get(I, 0) != 0;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** Lets the current context reach memory of another one; already being able to is fine. */
    void enablePeerAccess(long peerContext, String where) {
        try {
            int result = (int) CALL_LI.invokeExact(cuCtxEnablePeerAccess, peerContext, 0);
            if (result != PEER_ACCESS_ALREADY_ENABLED) {
                check(result, "cuCtxEnablePeerAccess", where);
            }
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    // ---- memory ----

    long memAlloc(long bytes, String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(L);
            int result = (int) CALL_LL.invokeExact(cuMemAlloc, out.address(), bytes);
            if (result != SUCCESS) {
                throw failure("cuMemAlloc of " + bytes + " bytes", result, where);
            }
            return out.get(L, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    void memFree(long address, String where) {
        try {
            check((int) CALL_L.invokeExact(cuMemFree, address), "cuMemFree", where);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** Page-locked host memory that every context reaches, mapped for kernels too. */
    long memHostAlloc(long bytes, String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(L);
            int flags = CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP;
            int result = (int) CALL_LLI.invokeExact(cuMemHostAlloc, out.address(), bytes, flags);
            if (result != SUCCESS) {
                throw failure("cuMemHostAlloc of " + bytes + " bytes", result, where);
            }
            return out.get(L, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    void memFreeHost(long address, String where) {
        try {
            check((int) CALL_L.invokeExact(cuMemFreeHost, address), "cuMemFreeHost", where);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** Where kernels find page-locked host memory. */
    long memHostGetDevicePointer(long hostAddress, String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(L);
            check(
                    (int) CALL_LLI.invokeExact(cuMemHostGetDevicePointer, out.address(), hostAddress, 0),
                    "cuMemHostGetDevicePointer",
                    where);
            return out.get(L, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** An attribute of 32 bits, or -1 where the driver does not know the address. */
    int pointerAttribute(int attribute, long address) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(L);
            int result = (int) CALL_LIL.invokeExact(cuPointerGetAttribute, out.address(), attribute, address);
            return result == SUCCESS ? out.get(I, 0) : -1;
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** A new dmabuf descriptor of whole pages of device memory; the caller closes it. */
    int dmabuf(long address, long bytes, String where) {
        if (cuMemGetHandleForAddressRange == null) {
            throw new GpuException(
                    where + ": this CUDA driver exports no dmabuf (cuMemGetHandleForAddressRange, CUDA 11.7)", 0);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(I);
            check(
                    (int) CALL_LLLIL.invokeExact(
                            cuMemGetHandleForAddressRange,
                            out.address(),
                            address,
                            bytes,
                            CU_MEM_RANGE_HANDLE_TYPE_DMA_BUF_FD,
                            0L),
                    "cuMemGetHandleForAddressRange",
                    where);
            return out.get(I, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    // ---- copies: data path ----

    int memcpyToHost(long host, long device, long bytes, long stream) {
        try {
            return (int) CALL_LLLL.invokeExact(cuMemcpyDtoHAsync, host, device, bytes, stream);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    int memcpyToDevice(long device, long host, long bytes, long stream) {
        try {
            return (int) CALL_LLLL.invokeExact(cuMemcpyHtoDAsync, device, host, bytes, stream);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    int memcpyOnDevice(long target, long source, long bytes, long stream) {
        try {
            return (int) CALL_LLLL.invokeExact(cuMemcpyDtoDAsync, target, source, bytes, stream);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    // ---- streams and events ----

    long streamCreate(String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(L);
            check(
                    (int) CALL_LI.invokeExact(cuStreamCreate, out.address(), CU_STREAM_NON_BLOCKING),
                    "cuStreamCreate",
                    where);
            return out.get(L, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    int streamQuery(long stream) {
        try {
            return (int) CALL_L.invokeExact(cuStreamQuery, stream);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    void streamDestroy(long stream, String where) {
        try {
            check((int) CALL_L.invokeExact(cuStreamDestroy, stream), "cuStreamDestroy", where);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** An event without timing, which costs the stream least. */
    long eventCreate(String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(L);
            check(
                    (int) CALL_LI.invokeExact(cuEventCreate, out.address(), CU_EVENT_DISABLE_TIMING),
                    "cuEventCreate",
                    where);
            return out.get(L, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    int eventRecord(long event, long stream) {
        try {
            return (int) CALL_LL.invokeExact(cuEventRecord, event, stream);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    int eventQuery(long event) {
        try {
            return (int) CALL_L.invokeExact(cuEventQuery, event);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    void eventDestroy(long event, String where) {
        try {
            check((int) CALL_L.invokeExact(cuEventDestroy, event), "cuEventDestroy", where);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    // ---- modules and launches ----

    /** @param ptx the text of a module */
    long moduleLoad(byte[] ptx, String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(ptx.length + 1L); // ends with a zero, as the driver wants text
            MemorySegment.copy(ptx, 0, image, ValueLayout.JAVA_BYTE, 0, ptx.length);
            MemorySegment out = arena.allocate(L);
            check(
                    (int) CALL_LL.invokeExact(cuModuleLoadData, out.address(), image.address()),
                    "cuModuleLoadData",
                    where);
            return out.get(L, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    long moduleFunction(long module, String name, String where) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom(name, StandardCharsets.US_ASCII);
            MemorySegment out = arena.allocate(L);
            int result = (int) CALL_LLL.invokeExact(cuModuleGetFunction, out.address(), module, text.address());
            if (result != SUCCESS) {
                throw failure("cuModuleGetFunction of " + name, result, where);
            }
            return out.get(L, 0);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    void moduleUnload(long module, String where) {
        try {
            check((int) CALL_L.invokeExact(cuModuleUnload, module), "cuModuleUnload", where);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** One-dimensional launch. @param parameters address of an array of addresses, one a kernel parameter */
    int launch(long function, int blocks, int threads, long stream, long parameters) {
        try {
            return (int) CALL_LAUNCH.invokeExact(
                    cuLaunchKernel, function, blocks, 1, 1, threads, 1, 1, 0, stream, parameters, 0L);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** Downcalls declare Throwable; what can come out is our own exceptions and errors. */
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
