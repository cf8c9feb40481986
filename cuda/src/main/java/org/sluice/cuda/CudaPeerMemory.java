package org.sluice.cuda;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.PeerMemory;
import org.sluice.spi.SharedPart;

/** What another process shared with this GPU, each allocation mapped once. */
final class CudaPeerMemory implements PeerMemory {
    private final CudaSharing sharing;
    private final CudaContext context;
    private final SharingCalls calls;
    private final FarMemory far;
    private final String peer;
    /** By the numbers that the peer gave to the allocations a block spans. */
    private final Map<List<Long>, Use> uses = new HashMap<>();

    private boolean open = true;

    private static final class Use {
        final PeerMapping mapping;
        int count;

        Use(PeerMapping mapping) {
            this.mapping = mapping;
        }
    }

    /** A range of a mapping in use. */
    private final class Opened implements GpuMemory {
        private final List<Long> key;
        private final Use use;
        private final long address;
        private final long size;
        private boolean used = true;

        Opened(List<Long> key, Use use, long offset, long size) {
            this.key = key;
            this.use = use;
            this.address = use.mapping.address() + offset;
            this.size = size;
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
            return MemoryKind.CUDA;
        }

        @Override
        public Optional<MemorySegment> host() {
            return Optional.empty();
        }

        @Override
        public void close() {
            synchronized (CudaPeerMemory.this) {
                if (used) {
                    used = false;
                    if (--use.count == 0 && uses.remove(key, use)) {
                        unmap(use.mapping);
                    }
                }
            }
        }
    }

    CudaPeerMemory(CudaSharing sharing, CudaContext context, FarMemory far, String peer) {
        this.sharing = sharing;
        this.context = context;
        this.calls = context.driver().sharing();
        this.far = far;
        this.peer = peer;
    }

    @Override
    public synchronized GpuMemory open(List<SharedPart> parts) {
        try {
            if (!open) {
                throw new IllegalStateException(context.where() + ": the memory of " + peer + " is closed");
            }
            long bytes = checked(parts);
            context.bind();
            List<Long> key = parts.stream().map(SharedPart::allocation).toList();
            Use use = uses.get(key);
            if (use == null) {
                use = new Use(map(parts));
                uses.put(key, use);
            }
            long offset = parts.getFirst().offset();
            if (offset > use.mapping.bytes() - bytes) {
                if (use.count == 0) {
                    uses.remove(key, use);
                    unmap(use.mapping);
                }
                throw new GpuException(
                        context.where() + ": " + peer + " shares " + bytes + " bytes at offset " + offset
                                + " of memory that has " + use.mapping.bytes(),
                        0);
            }
            use.count++;
            return new Opened(key, use, offset, bytes);
        } finally {
            sharing.discard(parts);
        }
    }

    /** In this GPU's context where it reaches the memory, else in that of the device where it is. */
    private PeerMapping map(List<SharedPart> parts) {
        try {
            return map(context, parts);
        } catch (GpuException e) {
            boolean unreachable =
                    e.code() == CudaDriver.PEER_ACCESS_UNSUPPORTED || e.code() == CudaDriver.INVALID_DEVICE;
            CudaContext owner = unreachable ? far.context(CudaSharing.uuid(parts.getFirst())) : null;
            if (owner == null) {
                throw e;
            }
            owner.bind();
            try {
                PeerMapping mapping = map(owner, parts);
                far.add(mapping);
                return mapping;
            } finally {
                context.bind();
            }
        }
    }

    private PeerMapping map(CudaContext in, List<SharedPart> parts) {
        SharedPart first = parts.getFirst();
        if (first.kind() == SharedPart.Kind.CUDA_VMM) {
            return VmmMapping.open(in, calls, parts, this::failure);
        }
        PeerMapping own = OwnExports.find(in, calls, first);
        if (own == null) {
            return LegacyMapping.open(in, calls, first, this::failure);
        }
        int owner = in.driver().pointerAttribute(CudaGpu.ATTRIBUTE_DEVICE_ORDINAL, own.address());
        if (owner >= 0 && in.driver().device(owner, in.where()) != in.device() && !in.reach(owner)) {
            throw failure("cuDeviceCanAccessPeer", CudaDriver.PEER_ACCESS_UNSUPPORTED);
        }
        return own;
    }

    /** The parts are one range: of one legacy allocation, or of VMM allocations from end to beginning. @return its length */
    private long checked(List<SharedPart> parts) {
        long bytes = 0;
        for (int i = 0; i < parts.size(); i++) {
            SharedPart p = parts.get(i);
            boolean ok = p.kind() == SharedPart.Kind.CUDA_IPC
                    ? parts.size() == 1 && p.handle().length == CudaSharing.LEGACY_BYTES
                    : p.kind() == SharedPart.Kind.CUDA_VMM
                            && p.descriptor() >= 0
                            && p.handle().length == SharingCalls.UUID_BYTES
                            && (i == 0 || p.offset() == 0)
                            && (i == parts.size() - 1 || p.offset() + p.bytes() == p.allocationBytes());
            if (!ok) {
                throw new GpuException(context.where() + ": " + peer + " shares memory in parts that make no range", 0);
            }
            bytes = Math.addExact(bytes, p.bytes());
        }
        if (bytes == 0) {
            throw new GpuException(context.where() + ": " + peer + " shares memory of no parts", 0);
        }
        return bytes;
    }

    private GpuException failure(String call, int result) {
        String why = switch (result) {
            case CudaDriver.INVALID_CONTEXT ->
                "; the driver takes it for this process's own memory: in containers, give both processes"
                        + " one PID namespace or different PIDs";
            case CudaDriver.PEER_ACCESS_UNSUPPORTED -> "; the two GPUs cannot reach each other's memory";
            case CudaDriver.INVALID_DEVICE, CudaDriver.INVALID_VALUE ->
                "; is the peer's GPU visible here, and its memory still allocated?";
            default -> "";
        };
        return new GpuException(
                context.where() + ": memory of " + peer + " cannot be opened: " + call + " failed: "
                        + sharing.describe(result) + why,
                result);
    }

    private void unmap(PeerMapping mapping) {
        if (context.isOpen()) {
            mapping.context().bind();
            try {
                mapping.close();
            } finally {
                context.bind();
                far.remove(mapping);
            }
        }
    }

    @Override
    public synchronized int opened() {
        return uses.size();
    }

    @Override
    public synchronized void close() {
        open = false;
        RuntimeException first = null;
        for (Use use : uses.values()) {
            try {
                unmap(use.mapping);
            } catch (RuntimeException e) {
                first = first == null ? e : first;
            }
        }
        uses.clear();
        if (first != null) {
            throw first;
        }
    }
}
