package org.sluice.tcp;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** CRC-32C of native memory, which the JDK computes from a byte buffer. Keeps the buffer, so that a chunk allocates nothing. */
@SuppressWarnings("restricted")
final class Checksum {
    /** One that starts on a multiple of half a GiB covers every chunk, of up to 1 GiB, that begins in that half. */
    private static final long STEP = 1L << 29;

    private static final long VIEW_BYTES = STEP + (1L << 30);

    private final CRC32C crc = new CRC32C();
    private @Nullable ByteBuffer view;
    private long base;

    int of(long address, long bytes) {
        ByteBuffer buffer = view;
        if (buffer == null || address < base || address >= base + STEP) {
            base = address & -STEP;
            // only the chunk's own bytes are ever touched
            buffer = MemorySegment.ofAddress(base).reinterpret(VIEW_BYTES).asByteBuffer();
            view = buffer;
        }
        int from = (int) (address - base);
        buffer.limit((int) (from + bytes)).position(from);
        crc.reset();
        crc.update(buffer);
        return (int) crc.getValue();
    }
}
