package org.sluice.host;

import java.lang.foreign.MemorySegment;
import org.sluice.spi.ScatterList;
import org.sluice.spi.UnpackQueue;

/** Gathers at once, on the calling thread: the three unpack modes are one where the CPU reaches the bounce buffer. */
@SuppressWarnings("restricted")
final class HostUnpackQueue implements UnpackQueue {
    private long tickets;

    @Override
    public long enqueue(ScatterList list, long destination, long bytes) {
        MemorySegment target = MemorySegment.ofAddress(destination).reinterpret(bytes);
        for (int i = 0; i < list.count(); i++) {
            long length = list.length(i);
            MemorySegment source = MemorySegment.ofAddress(list.bounceBuffer() + list.sourceOffset(i))
                    .reinterpret(length);
            MemorySegment.copy(source, 0, target, list.destinationOffset(i), length);
        }
        return ++tickets;
    }

    @Override
    public boolean hasRoom() {
        return true;
    }

    @Override
    public void flush() {}

    @Override
    public long completed() {
        return tickets;
    }

    @Override
    public void close() {}
}
