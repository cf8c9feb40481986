package org.sluice.host;

import java.util.List;
import org.sluice.spi.CopyQueue;
import org.sluice.spi.GpuException;
import org.sluice.spi.GpuMemory;
import org.sluice.spi.ListQueue;
import org.sluice.spi.MemorySharing;
import org.sluice.spi.PeerMemory;
import org.sluice.spi.SharedPart;

/** Blocks in memfds, which a peer maps. */
final class HostSharing implements MemorySharing {
    private static final byte[] NO_HANDLE = new byte[0];

    private final String where;
    private final CopyWorkers workers;

    HostSharing(int gpu, CopyWorkers workers) {
        this.workers = workers;
        this.where = "host GPU " + gpu;
    }

    @Override
    public GpuMemory allocate(long bytes) {
        return SealedMemory.allocate(bytes);
    }

    @Override
    public List<SharedPart> export(GpuMemory memory) {
        if (memory instanceof SealedMemory block) {
            return List.of(new SharedPart(
                    SharedPart.Kind.MEMFD,
                    block.number(),
                    block.size(),
                    0,
                    block.size(),
                    NO_HANDLE,
                    block.newDescriptor()));
        }
        throw new GpuException(
                where + ": a block of " + memory.size()
                        + " bytes is this process's own and cannot be shared with another; allocate it as shareable",
                0);
    }

    @Override
    public void discard(List<SharedPart> parts) {
        for (SharedPart p : parts) {
            if (p.descriptor() >= 0) {
                HostLibc.close(p.descriptor());
            }
        }
    }

    @Override
    public PeerMemory peer(String name) {
        return new HostPeerMemory(this, where, name);
    }

    @Override
    public CopyQueue copyQueue(int capacity) {
        return new HostCopyQueue(workers);
    }

    @Override
    public ListQueue listQueue(int moves) {
        return new HostListQueue(workers);
    }
}
