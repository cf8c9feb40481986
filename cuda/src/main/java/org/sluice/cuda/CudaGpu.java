package org.sluice.cuda;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sluice.UnpackMode;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.Gpu;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.PieceQueue;
import org.sluice.spi.UnpackQueue;

/** A CUDA device, by its ordinal, in its primary context. */
final class CudaGpu implements Gpu {
    // values of enum CUpointer_attribute and CUmemorytype in cuda.h
    static final int ATTRIBUTE_MEMORY_TYPE = 2;
    static final int ATTRIBUTE_DEVICE_ORDINAL = 9;
    static final int MEMORY_TYPE_DEVICE = 2;

    private final int id;
    private final CudaContext context;
    private final String name;
    private final String pciBusId;
    private final boolean remoteWritesNeedFlush;
    private final CudaKernels kernels;
    private final SyncCopies syncCopies;
    private final PatternKernels pattern;
    private final CudaSharing sharing;

    CudaGpu(CudaDriver driver, int id) {
        this.id = id;
        this.context = new CudaContext(driver, id);
        this.name = driver.deviceName(context.device(), context.where());
        // the driver writes upper case, sysfs has lower
        this.pciBusId = driver.devicePciBusId(context.device(), context.where()).toLowerCase(Locale.ROOT);
        this.remoteWritesNeedFlush = driver.remoteWritesNeedFlush(context.device(), context.where());
        this.kernels = new CudaKernels(context);
        this.syncCopies = new SyncCopies(context);
        this.pattern = new PatternKernels(context, kernels, syncCopies);
        this.sharing = new CudaSharing(context, kernels);
    }

    @Override
    public int id() {
        return id;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public MemoryKind memoryKind() {
        return MemoryKind.CUDA;
    }

    @Override
    public @Nullable String pciBusId() {
        return pciBusId;
    }

    @Override
    public String uuid() {
        return CudaUuid.text(context.driver().sharing().deviceUuid(context.device()));
    }

    @Override
    public int numaNode() {
        try {
            return Integer.parseInt(Files.readString(Path.of("/sys/bus/pci/devices", pciBusId, "numa_node"))
                    .strip());
        } catch (IOException | NumberFormatException e) {
            return -1;
        }
    }

    @Override
    public void bindThread() {
        context.bind();
    }

    @Override
    public boolean remoteWritesNeedFlush() {
        return remoteWritesNeedFlush;
    }

    @Override
    public void flushRemoteWrites() {
        context.driver().flushRemoteWrites(context.where());
    }

    @Override
    public GpuMemory allocate(long bytes) {
        return DeviceMemory.allocate(context, bytes);
    }

    /**
     * {@inheritDoc} Memory of another GPU is taken where this one can reach it (NVLink or PCIe peer access).
     *
     * @throws GpuException when the driver does not know the range as device memory that this GPU can reach
     */
    @Override
    public GpuMemory adopt(long address, long bytes) {
        // both ends: a range over several mappings of one reservation (PyTorch's expandable segments) has no single
        // allocation
        checkReachable(address, address);
        checkReachable(address, Math.addExact(address, bytes) - 1);
        return DeviceMemory.adopt(context, address, bytes);
    }

    private void checkReachable(long address, long at) {
        CudaDriver driver = context.driver();
        if (driver.pointerAttribute(ATTRIBUTE_MEMORY_TYPE, at) != MEMORY_TYPE_DEVICE) {
            throw new GpuException(
                    context.where() + ": cannot adopt memory at 0x" + Long.toHexString(address)
                            + (at == address ? "" : ": it does not reach to 0x" + Long.toHexString(at))
                            + ": the driver knows no device memory there (freed, of another process, or host memory?)",
                    0);
        }
        int owner = driver.pointerAttribute(ATTRIBUTE_DEVICE_ORDINAL, at);
        if (owner != id && !context.reach(owner)) {
            throw new GpuException(
                    context.where() + ": cannot adopt memory at 0x" + Long.toHexString(address) + ": it is GPU " + owner
                            + "'s, which this one cannot reach (no peer access); adopt it there",
                    0);
        }
    }

    @Override
    public boolean canRead(long address, long bytes) {
        // the driver answers for memory that it knows only: it knows no plain host memory
        CudaDriver driver = context.driver();
        return bytes > 0
                && driver.pointerAttribute(ATTRIBUTE_MEMORY_TYPE, address) > 0
                && driver.pointerAttribute(ATTRIBUTE_MEMORY_TYPE, address + bytes - 1) > 0;
    }

    @Override
    public GpuMemory allocatePinned(long bytes) {
        return new PinnedMemory(context, bytes);
    }

    @Override
    public CopyQueue copyQueue(CopyQueue.Direction direction, int capacity) {
        CudaDriver driver = context.driver();
        return switch (direction) {
            case TO_HOST -> new CudaCopyQueue(context, "cuMemcpyDtoHAsync", driver::memcpyToHost, capacity);
            case TO_GPU -> new CudaCopyQueue(context, "cuMemcpyHtoDAsync", driver::memcpyToDevice, capacity);
        };
    }

    @Override
    public UnpackQueue unpackQueue(UnpackMode mode, int capacity) {
        return switch (mode) {
            case KERNEL -> new KernelUnpackQueue(context, kernels.unpack(), capacity);
            case COPIES -> new CopyUnpackQueue(context, capacity);
            case HOST -> new HostUnpackQueue(context, capacity);
        };
    }

    @Override
    public PieceQueue pieceQueue(PieceQueue.Direction direction, int chunks, int pieces) {
        return new KernelPieceQueue(context, kernels.pieces(), direction, chunks, pieces);
    }

    @Override
    public Optional<MemorySharing> sharing() {
        return Optional.of(sharing);
    }

    @Override
    public void write(GpuMemory target, long offset, MemorySegment source) {
        checkRange(target, offset, source.byteSize());
        syncCopies.write(target.address() + offset, source);
    }

    @Override
    public void read(GpuMemory source, long offset, MemorySegment target) {
        checkRange(source, offset, target.byteSize());
        syncCopies.read(source.address() + offset, target);
    }

    @Override
    public void fill(GpuMemory target, long offset, long bytes, long seed) {
        checkRange(target, offset, bytes);
        pattern.fill(target.address() + offset, offset, bytes, seed);
    }

    @Override
    public long mismatch(GpuMemory memory, long offset, long bytes, long seed) {
        checkRange(memory, offset, bytes);
        return pattern.mismatch(memory.address() + offset, offset, bytes, seed);
    }

    private static void checkRange(GpuMemory memory, long offset, long bytes) {
        if (offset < 0 || bytes < 0 || bytes > memory.size() - offset) {
            throw new IndexOutOfBoundsException("offset " + offset + " and length " + bytes
                    + " are not inside a block of " + memory.size() + " bytes");
        }
    }

    @Override
    public void close() {
        if (context.isOpen()) {
            context.bind();
            try {
                pattern.close();
                syncCopies.close();
                kernels.close();
                sharing.close();
            } finally {
                context.close();
            }
        }
    }
}
