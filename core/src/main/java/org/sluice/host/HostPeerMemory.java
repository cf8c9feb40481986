package org.sluice.host;

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

/** Another process's memfds, each mapped once. */
final class HostPeerMemory implements PeerMemory {
    private final HostSharing sharing;
    private final String where;
    private final String peer;
    private final Map<Long, Mapping> mappings = new HashMap<>();
    private boolean open = true;

    private static final class Mapping {
        private final long allocation;
        private final long address;
        private final long bytes;
        private int uses;

        Mapping(long allocation, long address, long bytes) {
            this.allocation = allocation;
            this.address = address;
            this.bytes = bytes;
        }
    }

    /** A range of a mapping in use. */
    @SuppressWarnings("restricted")
    private final class Opened implements GpuMemory {
        private final Mapping mapping;
        private final MemorySegment segment;
        private boolean used = true;

        Opened(Mapping mapping, long offset, long bytes) {
            this.mapping = mapping;
            this.segment = MemorySegment.ofAddress(mapping.address + offset).reinterpret(bytes);
        }

        @Override
        public long address() {
            return segment.address();
        }

        @Override
        public long size() {
            return segment.byteSize();
        }

        @Override
        public MemoryKind kind() {
            return MemoryKind.HOST;
        }

        @Override
        public Optional<MemorySegment> host() {
            return Optional.of(segment);
        }

        @Override
        public void close() {
            synchronized (HostPeerMemory.this) {
                if (used) {
                    used = false;
                    release(mapping);
                }
            }
        }
    }

    HostPeerMemory(HostSharing sharing, String where, String peer) {
        this.sharing = sharing;
        this.where = where;
        this.peer = peer;
    }

    @Override
    public synchronized GpuMemory open(List<SharedPart> parts) {
        try {
            if (!open) {
                throw new IllegalStateException(where + ": the memory of " + peer + " is closed");
            }
            if (parts.size() != 1 || parts.getFirst().kind() != SharedPart.Kind.MEMFD) {
                throw new GpuException(where + ": " + peer + " shares memory that is not a host GPU's", 0);
            }
            SharedPart part = parts.getFirst();
            Mapping m = mappings.get(part.allocation());
            if (m == null) {
                m = map(part);
                mappings.put(part.allocation(), m);
            }
            if (part.offset() > m.bytes - part.bytes()) {
                throw tooShort(part, m.bytes);
            }
            m.uses++;
            return new Opened(m, part.offset(), part.bytes());
        } finally {
            sharing.discard(parts);
        }
    }

    private Mapping map(SharedPart part) {
        long bytes = HostLibc.sealedBytes(part.descriptor());
        if (part.offset() > bytes - part.bytes()) {
            throw tooShort(part, bytes);
        }
        return new Mapping(part.allocation(), HostLibc.mapShared(part.descriptor(), bytes), bytes);
    }

    private GpuException tooShort(SharedPart part, long bytes) {
        return new GpuException(
                where + ": " + peer + " shares " + part.bytes() + " bytes at offset " + part.offset()
                        + " of an allocation that has " + bytes,
                0);
    }

    private void release(Mapping m) {
        if (--m.uses == 0 && mappings.remove(m.allocation, m)) {
            HostLibc.unmap(m.address, m.bytes);
        }
    }

    @Override
    public synchronized int opened() {
        return mappings.size();
    }

    @Override
    public synchronized void close() {
        open = false;
        for (Mapping m : mappings.values()) {
            HostLibc.unmap(m.address, m.bytes);
        }
        mappings.clear();
    }
}
