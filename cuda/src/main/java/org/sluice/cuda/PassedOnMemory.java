package org.sluice.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.sluice.linux.Descriptor;
import org.sluice.linux.LinuxException;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.MemoryKind;
import org.sluice.spi.PeerMemory;
import org.sluice.spi.SharedPart;

/**
 * Memory of another process that this one has open and passes on: drivers make no handle of memory that is opened by one, so whoever
 * this process shares it with gets the owner's handles.
 */
final class PassedOnMemory implements GpuMemory {
    /**
     * The names under which allocations are passed on. Owners number theirs each for itself, so theirs would not do. Below zero, where
     * no driver's own are.
     */
    private static final AtomicLong NAMES = new AtomicLong(-1);

    private final CudaSharing sharing;
    private final GpuMemory opened;
    private final PeerMemory owner;
    private final List<SharedPart> parts;
    private boolean open = true;

    private PassedOnMemory(CudaSharing sharing, GpuMemory opened, PeerMemory owner, List<SharedPart> parts) {
        this.sharing = sharing;
        this.opened = opened;
        this.owner = owner;
        this.parts = parts;
    }

    static PassedOnMemory open(CudaSharing sharing, List<SharedPart> parts, String owner) {
        List<SharedPart> kept = new ArrayList<>();
        try {
            for (SharedPart p : duplicates(parts)) {
                kept.add(p.named(NAMES.getAndDecrement()));
            }
        } catch (GpuException e) {
            sharing.discard(parts);
            throw e;
        }
        PeerMemory theirs = sharing.peer(owner);
        try {
            return new PassedOnMemory(sharing, theirs.open(parts), theirs, List.copyOf(kept));
        } catch (RuntimeException e) {
            sharing.discard(kept);
            throw e;
        }
    }

    /** The same parts with descriptors of their own. */
    private static List<SharedPart> duplicates(List<SharedPart> parts) {
        List<SharedPart> copies = new ArrayList<>();
        try {
            for (SharedPart p : parts) {
                copies.add(
                        p.descriptor() < 0
                                ? p
                                : p.withDescriptor(
                                        Descriptor.duplicateOf(p.descriptor()).fd()));
            }
            return copies;
        } catch (LinuxException e) {
            for (SharedPart p : copies) {
                if (p.descriptor() >= 0) {
                    new Descriptor(p.descriptor()).close();
                }
            }
            throw new GpuException("memory in " + parts.size() + " parts: " + e.getMessage(), e);
        }
    }

    /** What whoever it is passed on to opens; the descriptors are the caller's. */
    synchronized List<SharedPart> parts() {
        if (!open) {
            throw new GpuException("memory that is let go is not passed on", 0);
        }
        return duplicates(parts);
    }

    @Override
    public long address() {
        return opened.address();
    }

    @Override
    public long size() {
        return opened.size();
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
    public synchronized void close() {
        if (open) {
            open = false;
            try {
                opened.close();
                owner.close();
            } finally {
                sharing.discard(parts);
            }
        }
    }
}
