package org.sluice.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.sluice.linux.Descriptor;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.ListQueue;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.PeerMemory;
import org.sluice.spi.SharedPart;

/**
 * Shares a GPU's memory by whatever handle its allocator allows: a legacy IPC handle of the whole allocation, or a descriptor of
 * each VMM allocation that the block spans. Found by trying: drivers call memory legacy-capable that is not.
 */
final class CudaSharing implements MemorySharing, AutoCloseable {
    /** Of a handle: the driver's, and the device's UUID. */
    static final int LEGACY_BYTES = SharingCalls.HANDLE_BYTES + SharingCalls.UUID_BYTES;

    private final CudaContext context;
    private final SharingCalls calls;
    private final CudaKernels kernels;
    private final FarMemory far;

    CudaSharing(CudaContext context, CudaKernels kernels) {
        this.context = context;
        this.calls = context.driver().sharing();
        this.kernels = kernels;
        this.far = new FarMemory(context);
    }

    @Override
    public GpuMemory allocate(long bytes) {
        return DeviceMemory.allocate(context, bytes);
    }

    @Override
    public List<SharedPart> export(GpuMemory memory) {
        if (memory instanceof PassedOnMemory passedOn) {
            return passedOn.parts();
        }
        if (memory.kind() != MemoryKind.CUDA) {
            throw new GpuException(context.where() + ": a block in host memory is not the GPU's to share", 0);
        }
        List<SharedPart> parts = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment range = arena.allocate(2 * Long.BYTES, 8);
            long end = memory.address() + memory.size();
            for (long at = memory.address(); at < end; ) {
                context.check(calls.addressRange(at, range), "cuMemGetAddressRange of memory to share");
                long base = range.getAtIndex(ValueLayout.JAVA_LONG, 0);
                long size = range.getAtIndex(ValueLayout.JAVA_LONG, 1);
                long bytes = Math.min(end, base + size) - at;
                parts.add(part(arena, base, size, at - base, bytes));
                at += bytes;
            }
            return parts;
        } catch (RuntimeException e) {
            discard(parts);
            throw e;
        }
    }

    private SharedPart part(Arena arena, long base, long size, long offset, long bytes) {
        long id = calls.bufferId(base);
        MemorySegment handle = arena.allocate(SharingCalls.HANDLE_BYTES, 8);
        int legacy = calls.ipcHandle(handle, base);
        if (legacy == CudaDriver.SUCCESS) {
            byte[] all = Arrays.copyOf(handle.toArray(ValueLayout.JAVA_BYTE), LEGACY_BYTES);
            OwnExports.add(calls, all, base, id);
            System.arraycopy(uuid(base), 0, all, SharingCalls.HANDLE_BYTES, SharingCalls.UUID_BYTES);
            return new SharedPart(SharedPart.Kind.CUDA_IPC, id, size, offset, bytes, all, -1);
        }
        MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
        int vmm = calls.retain(out, base);
        if (vmm == CudaDriver.SUCCESS) {
            long retained = out.get(ValueLayout.JAVA_LONG, 0);
            vmm = calls.exportDescriptor(out, retained);
            int ignored = calls.release(retained);
            if (vmm == CudaDriver.SUCCESS) {
                int descriptor = out.get(ValueLayout.JAVA_INT, 0);
                return new SharedPart(SharedPart.Kind.CUDA_VMM, id, size, offset, bytes, uuid(base), descriptor);
            }
        }
        throw new GpuException(
                context.where() + ": memory at 0x" + Long.toHexString(base + offset)
                        + " cannot be shared with another process: it has no IPC handle (" + describe(legacy)
                        + ") and no VMM handle that goes as a descriptor (" + describe(vmm)
                        + "). Memory of a stream-ordered pool (cudaMallocAsync) has neither: allocate with cudaMalloc"
                        + " (PyTorch: backend:native), or with a VMM allocator that asks for POSIX descriptors",
                legacy);
    }

    /** Of the device that memory is on. */
    private byte[] uuid(long address) {
        int ordinal = context.driver().pointerAttribute(CudaGpu.ATTRIBUTE_DEVICE_ORDINAL, address);
        return calls.deviceUuid(context.driver().device(Math.max(0, ordinal), context.where()));
    }

    /** The device's UUID in a part's handle. */
    static byte[] uuid(SharedPart part) {
        int end = part.handle().length;
        return Arrays.copyOfRange(part.handle(), end - SharingCalls.UUID_BYTES, end);
    }

    String describe(int result) {
        return result == SharingCalls.NO_FUNCTION
                ? "this driver has no such function"
                : context.driver().describe(result);
    }

    @Override
    public void discard(List<SharedPart> parts) {
        for (SharedPart p : parts) {
            if (p.descriptor() >= 0) {
                new Descriptor(p.descriptor()).close();
            }
        }
    }

    @Override
    public PeerMemory peer(String name) {
        return new CudaPeerMemory(this, context, far, name);
    }

    @Override
    public GpuMemory adopt(List<SharedPart> parts, String owner) {
        return PassedOnMemory.open(this, parts, owner);
    }

    @Override
    public CopyQueue copyQueue(int capacity) {
        return new PeerCopyQueue(context, far, capacity);
    }

    @Override
    public ListQueue listQueue(int moves) {
        return new KernelListQueue(context, kernels.lists(), far, moves);
    }

    /** After all peers' memory. */
    @Override
    public void close() {
        far.close();
    }
}
