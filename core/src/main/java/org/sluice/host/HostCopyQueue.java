package org.sluice.host;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.CopyQueue;

/** Copies at once: every ticket is done when it is given out. */
@SuppressWarnings("restricted")
final class HostCopyQueue implements CopyQueue {
    /** All of it, so that a copy makes no segments of its own. */
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final @Nullable CopyWorkers workers;
    private long tickets;

    /** @param workers who help with long copies; null for nobody: chunks are short */
    HostCopyQueue(@Nullable CopyWorkers workers) {
        this.workers = workers;
    }

    @Override
    public long enqueue(long destination, long source, long bytes) {
        if (workers == null) {
            MemorySegment.copy(MEMORY, source, MEMORY, destination, bytes);
        } else {
            workers.copy(bytes, (at, some) -> MemorySegment.copy(MEMORY, source + at, MEMORY, destination + at, some));
        }
        return ++tickets;
    }

    @Override
    public boolean hasRoom() {
        return true;
    }

    @Override
    public long completed() {
        return tickets;
    }

    @Override
    public long enqueued() {
        return tickets;
    }

    @Override
    public void close() {}
}
