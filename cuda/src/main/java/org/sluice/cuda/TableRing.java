package org.sluice.cuda;

import java.lang.foreign.MemorySegment;

/**
 * Tables of pieces on their way to kernels: written into pinned memory, and copied to the GPU's own where a kernel looks into them often.
 * Positions count up for ever.
 */
final class TableRing implements AutoCloseable {
    private static final long ALIGNMENT = 16;

    private final CudaContext context;
    private final PinnedMemory pinned;
    private final DeviceMemory device;
    private final long pinnedAddress;
    private final long size;
    private long head;
    private long tail;

    /** @param size a power of two */
    TableRing(CudaContext context, long size) {
        this.context = context;
        this.size = size;
        this.pinned = new PinnedMemory(context, size);
        this.pinnedAddress = pinned.deviceAddress();
        this.device = DeviceMemory.allocate(context, size);
    }

    /** Where the next table begins. */
    long head() {
        return head;
    }

    /** Goes back to an earlier {@link #head}: what was taken since is not needed. */
    void giveBack(long to) {
        head = to;
    }

    /** Nothing before a position is read any more. */
    void free(long upTo) {
        tail = upTo;
    }

    /** Takes room in one piece. @return its position, -1 where there is none */
    long take(long bytes) {
        long at = head;
        if ((at & (size - 1)) + bytes > size) {
            at = (at + size - 1) & -size; // the rest of this round stays empty
        }
        long end = (at + bytes + ALIGNMENT - 1) & -ALIGNMENT;
        if (end - tail > size) {
            return -1;
        }
        head = end;
        return at;
    }

    MemorySegment memory() {
        return pinned.segment();
    }

    /** Where a position is in {@link #memory}. */
    long offset(long position) {
        return position & (size - 1);
    }

    /** Where a kernel finds it in pinned memory. */
    long inPinned(long position) {
        return pinnedAddress + offset(position);
    }

    /** Where a kernel finds it once it was copied. */
    long onDevice(long position) {
        return device.address() + offset(position);
    }

    /** Copies what lies between two positions. @return the driver's result */
    int copy(long from, long to, long stream) {
        int result = CudaDriver.SUCCESS;
        for (long at = from; at < to && result == CudaDriver.SUCCESS; ) {
            long bytes = Math.min(to - at, size - offset(at));
            result = context.driver()
                    .memcpyToDevice(device.address() + offset(at), pinned.address() + offset(at), bytes, stream);
            at += bytes;
        }
        return result;
    }

    @Override
    public void close() {
        try {
            pinned.close();
        } finally {
            device.close();
        }
    }
}
