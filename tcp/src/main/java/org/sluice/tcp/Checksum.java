package org.sluice.tcp;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** CRC-32C of native memory, which the JDK computes from a byte buffer. Keeps the buffer, so that a chunk allocates nothing. */
@SuppressWarnings("restricted")
final class Checksum {
    /** Buffers reach 2 GiB - 1, chunks 1 GiB: one that starts on a GiB covers every chunk that begins in that GiB. */
    private static final long GIB = 1L << 30;

    private final CRC32C crc = new CRC32C();
    private @Nullable ByteBuffer view;
    private long base;

    int of(long address, long bytes) {
        ByteBuffer buffer = view;
        if (buffer == null || address < base || address >= base + GIB) {
            base = address & -GIB;
            // only the chunk's own bytes are ever touched
            buffer =
                    MemorySegment.ofAddress(base).reinterpret(Integer.MAX_VALUE).asByteBuffer();
            view = buffer;
        }
        int from = (int) (address - base);
        buffer.limit((int) Math.min(Integer.MAX_VALUE, from + bytes)).position(from);
        crc.reset();
        crc.update(buffer);
        return (int) crc.getValue();
    }
}
