package org.sluice.ncclnet;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;

/**
 * Where a finished receive's pieces lie, read from the request itself: {@code struct tcpxRequest} of GPUDirect-TCPX 3.1.9, whose
 * unpack slot at 56 is {@code {active, u64 idx, loadMeta* mem, u64* cnt, ...}}. The slots of a comm are used in turn, so the
 * slot's own number tells whether the layout is the one that was expected. A mutable view that a channel reuses.
 */
final class UnpackRequest {
    private static final long REQUEST_BYTES = 128;
    private static final long SLOT_INDEX = 64;
    private static final long DESCRIPTORS = 72;
    private static final long COUNT = 80;

    /** Slots of a comm: NCCL's unpack queue depth. */
    private static final int SLOTS = 16;

    private final ScatterList list = new ScatterList();
    private final UnpackHandle handle;

    UnpackRequest(UnpackHandle handle) {
        this.handle = handle;
    }

    ScatterList list() {
        return list;
    }

    @SuppressWarnings("restricted")
    void read(long request, long sequence) throws TransportException {
        MemorySegment fields = MemorySegment.ofAddress(request).reinterpret(REQUEST_BYTES);
        long slot = fields.get(ValueLayout.JAVA_LONG, SLOT_INDEX);
        long descriptors = fields.get(ValueLayout.JAVA_LONG, DESCRIPTORS);
        long count = fields.get(ValueLayout.JAVA_LONG, COUNT);
        if (slot != sequence % SLOTS || descriptors == 0 || count == 0 || (count & 7) != 0) {
            throw new TransportException("receive " + sequence + " names unpack slot " + slot + ", expected was "
                    + sequence % SLOTS
                    + ": the plugin's requests are not laid out as those of GPUDirect-TCPX 3.1, which this can read");
        }
        long n = MemorySegment.ofAddress(count).reinterpret(Long.BYTES).get(ValueLayout.JAVA_LONG, 0);
        if (n < 0 || n > ScatterList.MAX_DESCRIPTORS) {
            throw new TransportException("the unpack list of receive " + sequence + " has " + Long.toUnsignedString(n)
                    + " descriptors, allowed are 0 to " + ScatterList.MAX_DESCRIPTORS);
        }
        list.set(
                MemorySegment.ofAddress(descriptors).reinterpret(n * ScatterList.DESCRIPTOR_BYTES),
                (int) n,
                handle.bounceBuffer(),
                Long.MAX_VALUE);
    }
}
