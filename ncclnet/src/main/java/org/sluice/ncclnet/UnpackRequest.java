package org.sluice.ncclnet;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.sluice.spi.ScatterList;
import org.sluice.spi.TransportException;

/**
 * Where a finished receive's pieces lie, read from the request itself: {@code struct tcpxRequest} of GPUDirect-TCPX 3.1.9, whose
 * unpack slot at 56 is {@code {active, u64 idx, loadMeta* mem, u64* cnt, ...}}. The slots of a comm are used in turn, so the
 * slot's own number tells whether the layout is the one that was expected. A mutable view that a channel reuses.
 */
final class UnpackRequest {
    private static final long SLOT_INDEX = 64;
    private static final long DESCRIPTORS = 72;
    private static final long COUNT = 80;

    private static final int SLOTS = UnpackHandle.SLOTS;

    /** All of memory: reading through it makes no object for each chunk. */
    @SuppressWarnings("restricted")
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final ScatterList list = new ScatterList();
    private final UnpackHandle handle;

    /** The slots' lists, which lie at the same place for as long as the comm lives. */
    private final MemorySegment[] lists = new MemorySegment[SLOTS];

    /** Where the list of slot 0 lies for the host, as the first list that was seen tells. */
    private long firstList;

    UnpackRequest(UnpackHandle handle) {
        this.handle = handle;
        Arrays.fill(lists, MemorySegment.NULL);
    }

    ScatterList list() {
        return list;
    }

    /**
     * Points {@link #list} at a finished receive's pieces.
     *
     * @param toHost whether it was posted into host memory
     * @return false where the plugin has put its bytes in place itself
     */
    boolean read(long request, long sequence, boolean toHost) throws TransportException {
        long slot = MEMORY.get(ValueLayout.JAVA_LONG, request + SLOT_INDEX);
        long descriptors = MEMORY.get(ValueLayout.JAVA_LONG, request + DESCRIPTORS);
        long count = MEMORY.get(ValueLayout.JAVA_LONG, request + COUNT);
        if (slot != sequence % SLOTS || descriptors == 0 || count == 0 || (count & 7) != 0) {
            throw new TransportException("receive " + sequence + " names unpack slot " + slot + ", expected was "
                    + sequence % SLOTS
                    + ": the plugin's requests are not laid out as those of GPUDirect-TCPX 3.1, which this can read");
        }
        long n = MEMORY.get(ValueLayout.JAVA_LONG, count);
        if (n < 0 || n > ScatterList.MAX_DESCRIPTORS) {
            throw new TransportException("the unpack list of receive " + sequence + " has " + Long.toUnsignedString(n)
                    + " descriptors, allowed are 0 to " + ScatterList.MAX_DESCRIPTORS);
        }
        if (n == 0 && toHost) {
            return false;
        }
        if (handle.bounceBuffer() == 0) {
            throw new TransportException(
                    "receive " + sequence + " lies in a bounce buffer in a GPU's memory, which a host GPU"
                            + " cannot reach; use the GPUs (--backend cuda), or another transport");
        }
        list.set(
                descriptors((int) slot, descriptors),
                (int) n,
                onGpu(slot, descriptors),
                handle.bounceBuffer(),
                Long.MAX_VALUE);
        return true;
    }

    /** The GPU's address of the list that the host has at {@code address}: as far behind the first as there. */
    private long onGpu(long slot, long address) {
        long behind = slot * UnpackHandle.LIST_BYTES;
        if (firstList == 0) {
            firstList = address - behind;
        }
        return handle.descriptors() == 0 || firstList != address - behind ? 0 : handle.descriptors() + behind;
    }

    @SuppressWarnings("restricted")
    private MemorySegment descriptors(int slot, long address) {
        if (lists[slot].address() != address) {
            lists[slot] = MemorySegment.ofAddress(address).reinterpret(UnpackHandle.LIST_BYTES);
        }
        return lists[slot];
    }
}
