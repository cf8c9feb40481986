package org.sluice.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.sluice.spi.SharedPart;

/**
 * The legacy handles that this process has given out: the driver does not open them here again, and two nodes of a process, or two clients
 * of one daemon, still reach each other's memory, where it lies. Found by the whole handle, which only who was given it can say. Any thread.
 */
final class OwnExports {
    /** Beyond, handles of what has been freed meanwhile are forgotten. */
    private static final int MANY = 4096;

    private record Exported(long base, long allocation) {}

    private static final Map<ByteBuffer, Exported> GIVEN = new ConcurrentHashMap<>();

    private OwnExports() {}

    /** @param allocation the driver's number of it, as {@link SharingCalls#bufferId} says */
    static void add(SharingCalls calls, byte[] handle, long base, long allocation) {
        if (GIVEN.size() >= MANY) {
            GIVEN.values().removeIf(e -> bytes(calls, e) == 0);
        }
        GIVEN.put(key(handle), new Exported(base, allocation));
    }

    private static ByteBuffer key(byte[] handle) {
        return ByteBuffer.wrap(Arrays.copyOf(handle, SharingCalls.HANDLE_BYTES));
    }

    /** What another one's part is of this process's own, mapped in a context that reaches it; null where it is not. */
    static @Nullable PeerMapping find(CudaContext in, SharingCalls calls, SharedPart part) {
        Exported own = GIVEN.get(key(part.handle()));
        long bytes = own == null || own.allocation != part.allocation() ? 0 : bytes(calls, own);
        return own == null || bytes == 0 ? null : new OwnMapping(in, own.base, bytes);
    }

    /** Its length; 0 when it has been freed since, whatever is at its address now. */
    private static long bytes(SharingCalls calls, Exported e) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment range = arena.allocate(2 * Long.BYTES, 8);
            return calls.addressRange(e.base, range) == CudaDriver.SUCCESS
                            && range.getAtIndex(ValueLayout.JAVA_LONG, 0) == e.base
                            && calls.bufferId(e.base) == e.allocation
                    ? range.getAtIndex(ValueLayout.JAVA_LONG, 1)
                    : 0;
        }
    }
}
