package org.sluice.cuda;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Copies between device memory and any Java memory, heap included, through a pinned buffer, and waits. Off the data path; any
 * thread may use it, one at a time does.
 */
final class SyncCopies implements AutoCloseable {
    /** Long enough for the copy engine's full speed, short enough to cost nothing to keep. */
    private static final long BUFFER_BYTES = 2 << 20;

    private final CudaContext context;
    private @Nullable CudaStream stream;
    private @Nullable PinnedMemory buffer;

    SyncCopies(CudaContext context) {
        this.context = context;
    }

    synchronized void write(long device, MemorySegment source) {
        CudaStream s = stream();
        MemorySegment pinned = buffer().segment();
        for (long at = 0; at < source.byteSize(); at += BUFFER_BYTES) {
            long n = Math.min(BUFFER_BYTES, source.byteSize() - at);
            MemorySegment.copy(source, at, pinned, 0, n);
            context.check(
                    context.driver().memcpyToDevice(device + at, pinned.address(), n, s.handle), "cuMemcpyHtoDAsync");
            s.await("a write of " + n + " bytes");
        }
    }

    synchronized void read(long device, MemorySegment target) {
        CudaStream s = stream();
        MemorySegment pinned = buffer().segment();
        for (long at = 0; at < target.byteSize(); at += BUFFER_BYTES) {
            long n = Math.min(BUFFER_BYTES, target.byteSize() - at);
            context.check(
                    context.driver().memcpyToHost(pinned.address(), device + at, n, s.handle), "cuMemcpyDtoHAsync");
            s.await("a read of " + n + " bytes");
            MemorySegment.copy(pinned, 0, target, at, n);
        }
    }

    private CudaStream stream() {
        if (stream == null) {
            stream = new CudaStream(context);
        }
        return stream;
    }

    private PinnedMemory buffer() {
        if (buffer == null) {
            buffer = new PinnedMemory(context, BUFFER_BYTES);
        }
        return buffer;
    }

    @Override
    public synchronized void close() {
        if (stream != null) {
            stream.close();
            stream = null;
        }
        if (buffer != null) {
            buffer.close();
            buffer = null;
        }
    }
}
